//! Every bound of the system, each with its reason.

/// Characters of a workshop's title: one line on a projector.
pub const TITLE_CHARS: usize = 80;
/// Characters of a purpose, a question or an announcement: what a table reads in half a minute.
pub const QUESTION_CHARS: usize = 400;
/// Characters of a table's topic: fits a phone's header.
pub const TOPIC_CHARS: usize = 60;
/// Characters of a person's name: the longest real names with room; a badge shows about 12.
pub const NAME_CHARS: usize = 40;
/// Characters of a department or role.
pub const DEPARTMENT_CHARS: usize = 60;
/// Characters of a comment or a reason given in review.
pub const COMMENT_CHARS: usize = 2_000;
/// Characters (UTF-16 units) of one note: a long paragraph. Above it the editor stops taking text and says so.
pub const NOTE_CHARS: usize = 2_000;
/// Characters of one field of the plan, a theme's title or one part of a handover.
pub const FIELD_CHARS: usize = 1_000;
/// Bytes of all texts of a café's plan together: title, purpose, topics and questions. 2,000 tables have 260 each, some 80 Chinese
/// characters; every change of the plan is a row of this size in the log, and a part of every facilitator's view.
pub const DRAFT_BYTES: usize = 512 * 1024;
/// A World Café needs somewhere to go.
pub const TABLES_MIN: usize = 2;
/// Tables of one workshop: 10,000 people at tables of five.
pub const TABLES_MAX: usize = 2_000;
/// Rounds of one workshop: more than a day's worth.
pub const ROUNDS_MAX: usize = 12;
/// Shortest round in minutes: 3 seconds, for rehearsals and tests.
pub const ROUND_MINUTES_MIN: f64 = 0.05;
/// Longest round in minutes.
pub const ROUND_MINUTES_MAX: f64 = 240.0;
/// People at one table that a facilitator may ask for.
pub const SEATS_MAX: u8 = 20;
/// People of one workshop.
pub const PEOPLE_MAX: usize = 10_000;
/// Links of one workshop that can be ended: more were given to nobody.
pub const LINKS_MAX: usize = 1_000;
/// Dots one person may be given.
pub const DOTS_MAX: u8 = 20;
/// Comments in one workshop's review.
pub const COMMENTS_MAX: usize = 2_000;
/// Bytes of all comments of a workshop together, [`REMARK_BYTES`] for each included: some 80,000 Chinese characters, more than management
/// reads. They are in every facilitator's and reviewer's view, each time one of them changes.
pub const COMMENTS_BYTES: usize = 256 * 1024;
/// Bytes of them that may come through one link: half, so that a reviewers' link that went astray leaves room for everybody else.
pub const COMMENTS_BYTES_PER_LINK: usize = COMMENTS_BYTES / 2;
/// Bytes of all standing decisions of a workshop together, counted likewise and shown as often: [`THEMES_MAX`] actions with a reason of
/// 350 Chinese characters each.
pub const DECISIONS_BYTES: usize = 256 * 1024;
/// Characters of where an action's measure stands at a follow-up: a number, its unit, and a few words on how it was taken.
pub const MEASURED_CHARS: usize = 120;
/// Bytes of all follow-ups of a workshop together, counted likewise and shown as often: [`THEMES_MAX`] actions three times each, with some
/// 90 Chinese characters to each.
pub const FOLLOW_UPS_BYTES: usize = 256 * 1024;
/// Bytes that a comment, a decision or a follow-up counts beside its texts: what stands around them in a view.
pub const REMARK_BYTES: usize = 100;
/// Notes of one board: a table of five in three rounds writes about fifty.
pub const NOTES_MAX: usize = 2_000;
/// Lines drawn on one board, at which the page stops: a drawing of a whole round is some 300. They are drawn anew by every screen that moves.
pub const STROKES_MAX: usize = 2_000;
/// Points of one line; a longer one goes on as the next. Some ten seconds of drawing, and 2 KiB.
pub const STROKE_POINTS: usize = 512;
/// Width of a line, in canvas units: a marker.
pub const STROKE_WIDTH: u8 = 24;
/// Notes in one traveller's bag: whoever may carry everything chooses nothing, and three are told at the next table in a minute.
pub const BAG_NOTES: usize = 3;
/// Themes of one harvest and actions of one plan: beyond, nobody can oversee them.
pub const THEMES_MAX: usize = 200;
/// Characters of a theme's title in the vote: two lines on a phone. All titles are in every participant's view; the whole ones are on the
/// harvest board.
pub const VOTE_TITLE_CHARS: usize = 120;
/// Stages of a journey, where a café asks how each of them feels: more fit no chart, and all of them are in every participant's view.
pub const STAGES_MAX: usize = 40;
/// Scores of a stage from which on it is shown how many gave which: two people know each other's at once, so a group of fewer than three is too
/// small to hide in.
pub const FEELINGS_SHOWN: usize = 3;
/// Characters of the name of the line that a feeling must not fall below: it stands at the edge of a chart.
pub const LINE_CHARS: usize = 20;
/// Names shown in the participants' lobby; the others are counted. Keeps their view below [`PARTICIPANT_VIEW_BYTES`].
pub const LOBBY_NAMES: usize = 40;
/// Tables listed in a participant's view; the others are counted.
pub const VIEW_TABLES: usize = 40;
/// Bytes of one participant's view: it is sent up to four times a second to everybody on meeting-room wifi.
pub const PARTICIPANT_VIEW_BYTES: usize = 8 * 1024;

/// Bytes of one WebSocket message from a client. A full resync of a large board offline for an hour is well below it.
pub const FRAME_BYTES: usize = 1024 * 1024;
/// Bytes of one HTTP request body: a café with 2,000 tables and long questions.
pub const BODY_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of the body with which somebody joins: a code, a name and a department take 1,300, however JSON spells them. Anybody may send one, so
/// it is all that is held of it.
pub const JOIN_BYTES: usize = 8 * 1024;
/// Seconds a request may take: exporting the largest café is far below it, and phones give up soon after.
pub const REQUEST_SECONDS: u64 = 20;
/// Documents for office programs that are made at the same time: each may hold a large café several times over, and takes a processor for
/// seconds. Whoever asks for another waits, as long as a request may take.
pub const DOCUMENTS_AT_ONCE: usize = 4;
/// PDF documents that are made at the same time: each holds a font for Chinese, regular and bold, some 40 MB, beside its pages. A second one
/// goes on while the first is being read.
pub const PDFS_AT_ONCE: usize = 2;
/// Requests, by default, that one address may make at once, and as many again each minute: the largest café behind one router, everybody
/// placing three dots within the minute, with as much again for what a page asks besides.
pub const REQUESTS_PER_ADDRESS: u32 = 6 * PEOPLE_MAX as u32;
/// Requests one person may make at once, and as many again each minute, before they count for their address: nobody clicks ten times a
/// second. So whoever floods without a token uses up nothing of what the people behind the same router need.
pub const REQUESTS_PER_PERSON: u32 = 600;
/// People, by default, who may join from one address at once, and as many again each minute: a whole company behind one router, which
/// comes in over a few minutes.
pub const JOINS_PER_ADDRESS: u32 = 600;
/// Cafés, by default, that one address may open at once, and as many again each hour: a school's, every class its own. Each is some KiB of
/// disk for good.
pub const CREATIONS_PER_ADDRESS: u32 = 120;
/// Wrong join codes, by default, that one address may try within [`WRONG_CODE_SECONDS`]: a roomful of people who mistype theirs. Of 39 bits
/// that is nothing.
pub const WRONG_CODES_PER_ADDRESS: u32 = 30;
/// Seconds for which a wrong join code counts.
pub const WRONG_CODE_SECONDS: u64 = 600;
/// Seconds between two codes that are still looked up for an address that has used up its wrong ones, so that a guest behind the same router
/// as the guesser gets in; once among those sent for the first time, once among those sent again. A guesser gets 170,000 a day out of that, of
/// 850,000 million.
pub const LATE_CODE_SECONDS: u64 = 1;
/// Codes of all such addresses of which it is known that they were sent, in 4 bytes each: a guest's is still among them when they try again in
/// a few seconds, though ten thousand guesses a second come in between.
pub const LATE_CODES_MARKED: usize = 64 * 1024;
/// Codes remembered as right for one address; more cafés do not meet behind one router.
pub const CODES_KNOWN: usize = 64;
/// Addresses whose codes are remembered, 200 bytes each; past it all are forgotten, which only lets each of them try again.
pub const ADDRESSES_KEPT: usize = 20_000;
/// Bytes a second, averaged, that the commands of a café's facilitators may add to its log, and as many those of its reviewers: a plan of
/// usual size can be saved several times a second for as long as they like. Bounds how fast a café's owner, who may be anybody, can fill
/// the disk.
pub const COMMAND_BYTES_PER_SECOND: u32 = 64 * 1024;
/// Bytes they may add at once after a pause: the largest plan saved eight times, or a round of 10,000 seated ten times.
pub const COMMAND_BYTES_BURST: u32 = 4 * 1024 * 1024;
/// Bytes of a command above which it is counted before its body is read, a participant's too. Theirs have a few hundred, and are bounded
/// by their number: a vote of thousands who come at once must not be held up.
pub const COMMAND_SMALL_BYTES: u64 = 4 * 1024;
/// Bytes of a token or version in an Auth frame.
pub const TOKEN_BYTES: usize = 256;
/// Bytes of an address in a frame.
pub const ADDRESS_BYTES: usize = 96;
/// Bytes of one awareness message: a name, a colour and a caret.
pub const PRESENCE_BYTES: usize = 4 * 1024;
/// Bytes of what one client says of itself, as JSON, with the name that the server puts into it: ours takes 200; editors of other makes put
/// a caret (two relative positions, 300), a name and two colours there.
pub const PRESENCE_STATE_BYTES: usize = 1024;
/// Bytes of all that is known of who is at one board, for whoever comes is told all of it: everybody at a full table at their largest three
/// times over, or some 500 people as our page describes them. More than that nobody looks at.
pub const PRESENCE_BOARD_BYTES: usize = 64 * 1024;
/// States that one person may have at one board, with all their tabs and devices, so that nobody takes up the room of all.
pub const PRESENCE_PER_PERSON: usize = 16;
/// Boards one connection may have open: the gallery of a café with this many tables, the harvest and the plan.
pub const BOARDS_PER_CONNECTION: usize = 64;
/// Openings of one board by one connection, each under a name of its own (a session): a page that shows a board twice, and is just opening
/// it anew. Each is told everything.
pub const SESSIONS_PER_BOARD: usize = 4;
/// Openings of one board by one person: tabs and devices, and some that have not been noticed to be gone; or all the readers of one link, who
/// are one person here. Each is told everything.
pub const OPENINGS_PER_PERSON: u32 = 1_024;
/// Bytes that may wait for one slow reader; past it the board is resynchronised instead.
pub const QUEUE_BYTES: usize = 512 * 1024;
/// Bytes that may wait for all slow readers of a process together before another whole board is made for one of them: a thousand
/// connections that each ask for one and read nothing would otherwise be a thousand boards. From half of it on, who reads nothing and holds
/// more than [`QUEUE_BYTES`] is let go.
pub const QUEUES_BYTES: usize = 512 * 1024 * 1024;
/// Bytes of one board's document, as updates.
pub const BOARD_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of memory that the items and values of one board may take, as they are counted by the server: 256 for an item, though it is one
/// letter. [`BOARD_BYTES`] alone could be a gigabyte of them. These are 260,000 items; the 20,000 updates of a long café, each at another
/// place, make 20,000 to 60,000, and 200 notes 3,000.
pub const BOARD_MEMORY: usize = 64 * 1024 * 1024;
/// MiB of memory, by default, that the boards that are awake may take together: a machine with 4 GiB has room beside it for [`QUEUES_BYTES`], ten
/// thousand connections, what is just being loaded, and the system. From three quarters of it on no further board is opened; the rest is for
/// what is written on those that are. Three quarters are six thousand tables with [`BOARD_SHARE`] each, and the largest café has [`TABLES_MAX`].
pub const BOARDS_MEMORY_MIB: u32 = 2_048;
/// Fewest MiB that may be chosen for that: the largest board has to be opened, and to be let go, within them.
pub const BOARDS_MEMORY_MIB_LEAST: u32 = 128;
/// Bytes of that which each board has from the moment it is woken, whatever the others do, and in which it grows: fifty notes, as a table
/// writes in three rounds. So people write on, though somebody else has used up everything with boards of their own.
pub const BOARD_SHARE: usize = 256 * 1024;
/// Boards that are read from the store at the same time. What is read is in memory beside what comes of it, and is not counted yet.
pub const BOARDS_LOADING: usize = 8;
/// Letters and values of others that may be walked along to find the places of what comes, on one board for as long as it is awake; those
/// walked along to put together what was loaded count, too. Nobody who writes where no one else is just writing causes any. Two who
/// were offline and have each put 2,000 letters at the beginning of the same text, one before the other, cause 8 million. All of it takes a
/// second; without a bound, one message could take 1,000 times as many.
pub const BOARD_STEPS: u64 = 16 * 1024 * 1024;
/// So many of them one edit may cause in any case, however many there were before: at [`EDITS_PER_SECOND`] they take a few hundredths of a
/// processor's time.
pub const EDIT_STEPS: u64 = 4 * 1024;
/// Messages that may wait for one board: some for each of a full table's devices. Their bytes are bounded by [`BOARD_WAITING_BYTES`].
pub const BOARD_WAITING: usize = 256;
/// Bytes of updates that may wait for one board: a few of the largest frames.
pub const BOARD_WAITING_BYTES: usize = 8 * FRAME_BYTES;
/// Requests that may wait for one café: everybody of a large one at once, each of which takes some ten microseconds. Past it who asks waits
/// as well, and then is told that it is busy.
pub const CAFE_WAITING: usize = 1_024;
/// Commands of a café whose keys are remembered, about half a megabyte: 10,000 people who place three dots each within a minute leave a phone
/// eight seconds for trying again, and our page tries for two.
pub const COMMAND_KEYS_KEPT: usize = 4_096;
/// Frames a second one connection may send, averaged, whatever they are: typing and a caret that follows each letter send under 60. What
/// has a rate of its own is bounded by that; this bounds the rest, which is answered by nothing or passed over.
pub const FRAMES_PER_SECOND: u32 = 200;
/// Frames a connection may send at once after a pause: all edits of [`EDITS_BURST`], each with its caret, from somebody who was offline for
/// long, and the opening of all boards.
pub const FRAMES_BURST: u32 = 5_000;
/// Frames a connection may send before a token is found good: Auth, Step1 and awareness of every board that one connection may have, for a
/// client that opens all at once and is refused the first of them, and one more of each.
pub const STRANGER_FRAMES: u32 = 4 * (BOARDS_PER_CONNECTION as u32 + 1);
/// Bytes that are read from a connection before a token is found good, a frame that has not ended included. Auth takes 150; a state vector, a
/// caret, and what was typed in that moment stand behind it or, with some clients, before. It is what a socket of somebody unknown may cost,
/// and an address may have [`CONNECTIONS_PER_ADDRESS`] of them.
pub const STRANGER_BYTES: usize = 8 * 1024;
/// Tokens that may be tried on a connection before one is good: a client that is not ours sends one for each document, and perhaps once more.
pub const TOKENS_TRIED: usize = 2 * (BOARDS_PER_CONNECTION + 1);
/// Edits a second one connection may send, averaged: typing sends under 20.
pub const EDITS_PER_SECOND: u32 = 60;
/// Edits a connection may send at once after a pause: returning from being offline.
pub const EDITS_BURST: u32 = 2_000;
/// Bytes of edits a second one person may send, averaged, with all their connections: a page that pastes all day stays far below. Bounds how
/// fast one person can make a log grow.
pub const EDIT_BYTES_PER_SECOND: u32 = 64 * 1024;
/// Bytes of edits a person may send at once after a pause: a few of the largest frames, for returning from being offline.
pub const EDIT_BYTES_BURST: u32 = 8 * FRAME_BYTES as u32;
/// Bytes that an edit counts at least among those of its person: what storing and telling it costs, however small it is. So a person can make
/// 128 edits a second, with all their connections.
pub const EDIT_BYTES_LEAST: usize = 512;
/// People who have gone of whom it is remembered for up to two minutes how much they have just written: everybody of a few of the largest
/// cafés at once. Past it all of them are forgotten, and have the whole burst when they come back.
pub const ALLOWANCES_KEPT: usize = 4 * PEOPLE_MAX;
/// Step1 messages a second one connection may send, averaged: each is answered with up to a whole document.
pub const SYNCS_PER_SECOND: u32 = 4;
/// Step1 messages a connection may send at once: all boards of a gallery, and twice more after a lost connection or a slow reading.
pub const SYNCS_BURST: u32 = 3 * BOARDS_PER_CONNECTION as u32;
/// Step1 messages a second one person may send, averaged, with all their connections: [`OPENINGS_PER_PERSON`] are told everything within a
/// quarter of a minute.
pub const SYNCS_PER_SECOND_PER_PERSON: u32 = 64;
/// Step1 messages a person may send at once: each of their openings, and twice more after a lost connection or a slow reading.
pub const SYNCS_BURST_PER_PERSON: u32 = 3 * OPENINGS_PER_PERSON;
/// Awareness messages a second one connection may send, averaged.
pub const PRESENCE_PER_SECOND: u32 = 20;
/// Awareness messages a connection may send at once: a caret on each of its boards, and what piles up in a few seconds of a bad network.
pub const PRESENCE_BURST: u32 = 5 * PRESENCE_PER_SECOND;
/// Client ids one member of a board may be present with: its document, and some that it has just left.
pub const PRESENCE_PER_MEMBER: usize = 4;
/// Clients who left a board whose clocks are still known, so that one that returns under the same id is not taken for its own past: everybody
/// of a gallery, 16 bytes each.
pub const DEPARTED_KEPT: usize = 1_024;
/// Seconds within which a new connection must send its first valid Auth.
pub const AUTH_SECONDS: u64 = 5;
/// Frames one address may hold back while it is being authenticated.
pub const FRAMES_BEFORE_AUTH: usize = 8;
/// Bytes that a connection of somebody known may have held back, for further addresses that are being authenticated: state vectors and presence
/// of its boards, and what was typed in that moment. Before anybody is known it is [`STRANGER_BYTES`].
pub const BYTES_BEFORE_AUTH: usize = 256 * 1024;
/// WebSockets from one address, by default, and as many HTTP connections beside them: the largest café behind one router, everybody with
/// a second device.
pub const CONNECTIONS_PER_ADDRESS: u32 = 2 * PEOPLE_MAX as u32;
/// Seconds, by default, within which the head of an HTTP request must have come, and after which an idle connection is closed: who sends a
/// letter at a time keeps nothing open. Longer than proxies keep their idle connections (60 s is usual), so that none of them sends a
/// request into one that is just being closed.
pub const HEAD_SECONDS: u32 = 75;
/// Seconds for which an HTTP answer may wait without its reader taking a byte: who does not read keeps no answer in memory, and a phone
/// between two cells is given the time it has on a WebSocket.
pub const WRITE_SECONDS: u64 = 3 * PING_SECONDS;
/// Days, by default, for which a token opens its café: a plan is followed up for a year and reported on in the next, and whoever comes back to
/// it then still gets in; but a link that lies in an old chat does not open what people wrote for ever.
pub const TOKEN_DAYS: u32 = 3 * 365;
/// Bytes of the head of an HTTP request: links and tokens are short.
pub const HEAD_BYTES: usize = 32 * 1024;
/// Seconds of silence after which the server pings, or lets a dead connection go after three of them.
pub const PING_SECONDS: u64 = 20;
/// Bytes of a key in a document, and of the name of a root type: ours are an id or two with a prefix.
pub const KEY_BYTES: usize = 256;
/// Bytes of one value in a document that is not shared text: ours are names, ids and numbers. Every reader holds it in memory, and a map
/// keeps it for good.
pub const VALUE_BYTES: usize = 16 * 1024;
/// Root types of one board: a table has five. Each is looked at after every edit.
pub const ROOTS_MAX: usize = 64;
/// Elements (notes, themes, actions, those taken away included) that the server keeps on one board. The page stops at [`NOTES_MAX`];
/// what several people wrote at once or offline past it still finds room.
pub const ELEMENTS_KEPT: usize = 2 * NOTES_MAX;
/// UTF-16 units that the server keeps in one text. The page stops at [`NOTE_CHARS`] for one person; this is what a full table may have
/// written in one note at the same time, so nobody's words are ever refused for having been merged.
pub const TEXT_KEPT: u32 = NOTE_CHARS as u32 * SEATS_MAX as u32;
/// Client ids one person may hold in one workshop. A phone that loses its connection every ten seconds is given two each time, once it has
/// plenty: more than 20 hours.
pub const CLIENT_IDS_PER_ACTOR: usize = 16_384;
/// Client ids past which a person is given one at a time: by then their devices have more than enough in store.
pub const CLIENT_IDS_PLENTY: usize = 1_024;
/// Ids that one connection may claim by using them: a document, made again now and then.
pub const CLIENT_IDS_CLAIMED: usize = 32;
/// Client ids of one message that the store is asked about, one by one. A message may name as many as fit in it, and each is a reading of the
/// store; whose ids are not asked about, others are taken to be.
pub const LOOK_UPS: usize = 2 * CLIENT_IDS_CLAIMED;
/// Readings of the register of client ids a second that one person may cause, averaged, with all their connections: their own are read once
/// for each connection, and a new id is one.
pub const LOOK_UPS_PER_SECOND: u32 = 64;
/// Readings of it that a person may cause at once: all their devices come back, each with what it wrote offline under ids of long ago.
pub const LOOK_UPS_BURST: u32 = 4_096;
/// Shared types within shared types in one update. Ours nest two deep (a text in a note in a map); deleting recurses in Yrs.
pub const TYPE_DEPTH: u32 = 16;
/// Depth of nested `Any` values in an update; ours nest two deep, and deep nesting overflows the stack (see design).
pub const ANY_DEPTH: usize = 32;
