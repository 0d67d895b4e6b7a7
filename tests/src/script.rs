//! What simulated guests say and do: they sit down where they are told, say how it feels there, write, build on each other's notes, star, move and
//! vote.
//!
//! Used by the demo, by browser tests (as the other guests in the room) and by rehearsals.

use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use shared::board::note;
use shared::board::text::{self, Splice};
use shared::board::view::NoteKind;
use shared::id::{BoardKind, NoteId, TableId};
use shared::workshop::journey::{SCORE_MAX, SCORE_MIN};
use shared::workshop::{Command, Language, Phase, RoundStatus};

use crate::guest::Guest;

/// How a simulated guest behaves.
#[derive(Clone, Debug)]
pub struct Habits {
    /// Language they write in.
    pub language: Language,
    /// Notes each writes in a round.
    pub notes_per_round: usize,
    /// Letters typed or taken away after each note, anywhere on the board.
    pub scribbles: usize,
    /// Time between two acts of one guest; each draws around it.
    pub pace: Duration,
    /// Everything they choose follows from it.
    pub seed: u64,
}

/// A note that was written and acknowledged.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// Where.
    pub table: TableId,
    /// Its id.
    pub note: NoteId,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub author: String,
}

/// Lives through a café as one guest, until it reaches the plan or is closed. `wrote` hears of each note once it is acknowledged.
///
/// # Errors
/// The server refused something that a guest may do, or did not answer.
pub async fn attend(guest: Guest, habits: Habits, wrote: impl Fn(Written)) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(habits.seed);
    let keeper = guest.clone();
    let connection = tokio::spawn(async move { keeper.stay_connected().await });
    let mut held: Option<u8> = None;
    let mut voted = false;
    loop {
        let view = guest
            .until_patiently(|guest| {
                guest.view().filter(|view| {
                    let round = view.round.as_ref().filter(|r| !matches!(r.status, RoundStatus::Moving { .. }));
                    let new_round = view.phase == Phase::Rounds
                        && round.is_some_and(|r| held != Some(r.index) && r.status != RoundStatus::Over)
                        && guest.seat().is_some();
                    let vote = view.vote.as_ref().is_some_and(|v| v.open && !voted);
                    new_round || vote || view.phase > Phase::Vote
                })
            })
            .await?;
        if view.phase > Phase::Vote {
            connection.abort();
            return Ok(());
        }
        if let Some(vote) = view.vote.as_ref().filter(|vote| vote.open) {
            voted = true;
            for _ in 0..vote.dots {
                pause(&mut rng, habits.pace / 2).await;
                cast(&guest, &mut rng).await;
            }
            continue;
        }
        let Some(round) = view.round.as_ref().map(|r| r.index) else { continue };
        held = Some(round);
        if let Some(seat) = guest.seat() {
            sit(&guest, seat.table.id, round, &habits, &mut rng, &wrote).await?;
        }
    }
}

/// One round at one table.
async fn sit(
    guest: &Guest,
    table: TableId,
    round: u8,
    habits: &Habits,
    rng: &mut StdRng,
    wrote: &impl Fn(Written),
) -> Result<()> {
    guest.open(BoardKind::Table(table)).await?;
    feel(guest, table, rng).await;
    for _ in 0..habits.notes_per_round {
        pause(rng, habits.pace).await;
        if guest.seat().is_none_or(|seat| seat.table.id != table)
            || guest.view().is_none_or(|v| v.phase != Phase::Rounds)
        {
            break;
        }
        let board = guest.table_board(table).unwrap_or_default();
        let others: Vec<_> = board.notes.iter().filter(|n| n.author != guest.id && !n.deleted).collect();
        // The later the round, the more people build on what is there instead of starting anew.
        let builds = !others.is_empty() && rng.random_bool(if round == 0 { 0.25 } else { 0.5 });
        let parent = others.choose(rng).filter(|_| builds).map(|n| n.builds_on.clone().unwrap_or_else(|| n.id.clone()));
        let (kind, text) = phrase(habits.language, table, parent.is_some(), rng);
        let id = guest.write(table, kind, text, parent)?;
        if let Some(star) = others.choose(rng).filter(|_| rng.random_bool(0.5)) {
            guest.edit(BoardKind::Table(table), |txn, replica| {
                note::set_star(txn, &replica.table, &star.id, &guest.id, true);
            })?;
        }
        for _ in 0..habits.scribbles {
            scribble(guest, table, rng)?;
        }
        guest.saved().await?;
        wrote(Written { table, note: id, text: text.to_owned(), author: guest.name.clone() });
    }
    Ok(())
}

/// Types or deletes a few letters in some note; whether there was one.
///
/// # Errors
/// The board is not open.
pub fn scribble(guest: &Guest, table: TableId, rng: &mut StdRng) -> Result<bool> {
    let Some(id) = guest.table_board(table).and_then(|board| board.notes.choose(rng).map(|n| n.id.clone())) else {
        return Ok(false);
    };
    let place: f64 = rng.random();
    let insert = ["好", "，而且", "😀", "a b", ""].choose(rng).copied().unwrap_or("").to_owned();
    guest.edit(BoardKind::Table(table), |txn, replica| {
        let (Some(at), Some(current)) = (note::text_of(txn, &replica.table, &id), note::read(txn, &replica.table, &id))
        else {
            return;
        };
        // Cut between characters, as an editor does.
        let cut = (current.text.chars().count() as f64 * place) as usize;
        let before: String = current.text.chars().take(cut).collect();
        let next = current.text.chars().nth(cut).filter(|_| insert.is_empty());
        let splice = Splice {
            at: before.encode_utf16().count() as u32,
            delete: next.map_or(0, |c| c.len_utf16() as u32),
            insert: insert.clone(),
        };
        text::edit(txn, &at, &splice);
    })?;
    Ok(true)
}

/// Says how this stage feels, where the café asks: the second one is well liked, the third one is not.
async fn feel(guest: &Guest, table: TableId, rng: &mut StdRng) {
    if guest.view().is_none_or(|view| view.feelings.is_none()) {
        return;
    }
    let usual = [0, 1, -1, 1][usize::from(table.0.saturating_sub(1)) % 4];
    let score = Some((usual + rng.random_range(-1..=1)).clamp(SCORE_MIN, SCORE_MAX));
    // The facilitator may move on at any moment: a refusal then is what a guest would see too.
    if let Err(error) = guest.command(Command::Feel { table, score }).await {
        eprintln!("{}: {error:#}", guest.name);
    }
}

async fn cast(guest: &Guest, rng: &mut StdRng) {
    let Some(vote) = guest.view().and_then(|view| view.vote) else { return };
    let Some(theme) = vote.themes.choose(rng) else { return };
    let on_it = vote.mine.iter().find(|(id, _)| *id == theme.id).map_or(0, |(_, dots)| *dots);
    // The facilitator may close the vote at any moment: a refusal then is what a guest would see too.
    if let Err(error) = guest.command(Command::CastVote { theme: theme.id.clone(), dots: on_it + 1 }).await {
        eprintln!("{}: {error:#}", guest.name);
    }
}

async fn pause(rng: &mut StdRng, pace: Duration) {
    let factor = rng.random_range(0.4..1.6);
    tokio::time::sleep(pace.mul_f64(factor)).await;
}

/// Names of people in the room.
pub fn name(language: Language, index: usize) -> String {
    const ZH: [&str; 24] = [
        "王秀兰",
        "李建国",
        "张丽",
        "陈思远",
        "刘洋",
        "赵敏",
        "黄志强",
        "周婷",
        "吴磊",
        "徐静",
        "孙浩",
        "马晓燕",
        "朱文博",
        "胡佳",
        "郭明",
        "何雨桐",
        "高峰",
        "林小娟",
        "罗勇",
        "梁艳",
        "宋涛",
        "郑洁",
        "谢国庆",
        "韩雪",
    ];
    const EN: [&str; 24] = [
        "Alice Wong",
        "Ben Carter",
        "Chloe Li",
        "Daniel Park",
        "Emma Stone",
        "Felix Tan",
        "Grace Hall",
        "Henry Ong",
        "Ivy Chan",
        "Jack Reed",
        "Karen Lim",
        "Leo Marsh",
        "Mia Novak",
        "Noah Price",
        "Olivia Gray",
        "Paul Yeo",
        "Quinn Ross",
        "Rita Shah",
        "Sam Boyd",
        "Tina Ko",
        "Uma Patel",
        "Victor Lee",
        "Wendy Fox",
        "Xavier Ruiz",
    ];
    let list = if language == Language::ZhCn { ZH } else { EN };
    let name = list[index % list.len()];
    if index < list.len() { name.to_owned() } else { format!("{name} {}", index / list.len() + 1) }
}

type Line = (NoteKind, &'static str);

fn phrase(language: Language, table: TableId, builds: bool, rng: &mut StdRng) -> Line {
    use NoteKind::{Idea, Opportunity, Pain, Question};
    const ZH: [[Line; 8]; 4] = [
        [
            (Pain, "看房时问物业费包含什么，三个人给了三种答案"),
            (Idea, "签约当天由将来的管家亲自露面，交换微信"),
            (Question, "业主签约时最担心的到底是什么？"),
            (Opportunity, "样板间里放一本《住进来以后》的小册子，写真实的服务时间"),
            (Pain, "销售承诺过的，物业这边没人知道"),
            (Idea, "首次到访记住业主家里几口人、有没有老人和宠物"),
            (Opportunity, "签约后一个月发一条工地进度的短视频"),
            (Idea, "把服务标准做成一张看得懂的图，不是十页合同"),
        ],
        [
            (Pain, "收房那天排队两小时，连个坐的地方都没有"),
            (Idea, "按预约时段收房，每户一位验房师全程陪同"),
            (Pain, "验房发现的问题，一个月了没人回话"),
            (Opportunity, "搬家当天帮忙占好电梯，备好推车和热水"),
            (Idea, "入住第一晚管家打一个电话：还缺什么吗？"),
            (Question, "装修押金退得慢，卡在哪一步？"),
            (Opportunity, "入住三十天回访，带上验房问题的销项单"),
            (Idea, "给新邻居拍一张进门的全家照，一周后送到"),
        ],
        [
            (Pain, "报修以后不知道师傅几点来，只能在家干等"),
            (Idea, "报修后十分钟内给出上门时段，超时主动说明"),
            (Opportunity, "维修后当天回访，附一张完工照片"),
            (Pain, "投诉换了三个人，每次都要从头讲一遍"),
            (Idea, "一个投诉一位负责人，从头跟到尾"),
            (Question, "哪些问题可以在业主开口之前就发现？"),
            (Opportunity, "雨季前上门查一遍窗户和地漏"),
            (Pain, "修好了没人说，过两天又坏了"),
        ],
        [
            (Idea, "中秋在中庭摆长桌宴，每家带一道菜"),
            (Pain, "活动总是那几个人来，上班的人赶不上"),
            (Opportunity, "请业主当社区摄影师，办一次楼道影展"),
            (Idea, "记住独居老人的生日，保安队长去敲门"),
            (Question, "年轻业主愿意为什么样的社区生活花时间？"),
            (Opportunity, "孩子放学后的一小时，谁来陪？"),
            (Pain, "缴费单看不懂，问了也说不清"),
            (Idea, "每季度公布一次：你们提的，我们做了这些"),
        ],
    ];
    const ZH_BUILDS: [Line; 8] = [
        (Idea, "对，而且可以让业主自己选时间"),
        (Idea, "接着说：先在一栋楼试一个月"),
        (Opportunity, "是的，还可以附一张照片，一看就明白"),
        (Idea, "同意，再加一条：超时要主动道歉"),
        (Idea, "这个可以和管家的早会连起来"),
        (Opportunity, "对，老人那边改成打电话，不发短信"),
        (Idea, "而且做完要告诉提意见的人"),
        (Question, "很好，那夜里和节假日怎么办？"),
    ];
    const EN: [[Line; 8]; 4] = [
        [
            (Pain, "Three people gave three answers on what the fee covers"),
            (Idea, "The future concierge shows up in person on signing day"),
            (Question, "What are owners really afraid of when they sign?"),
            (Opportunity, "A small booklet in the show flat: life after moving in"),
            (Pain, "Nobody on our side knows what sales had promised"),
            (Idea, "Remember the family on the first visit: elders, children, pets"),
            (Opportunity, "A short video of the building site once a month"),
            (Idea, "Service standards as one picture, not ten pages"),
        ],
        [
            (Pain, "Two hours of queueing on handover day, and nowhere to sit"),
            (Idea, "Handover by appointment, one inspector for each family"),
            (Pain, "A month after the inspection nobody has called back"),
            (Opportunity, "On moving day: the lift reserved, trolleys and tea ready"),
            (Idea, "A call on the first evening: is anything missing?"),
            (Question, "Where does the fit-out deposit get stuck?"),
            (Opportunity, "A visit after thirty days with the list of mended defects"),
            (Idea, "A family picture at the new front door, delivered a week later"),
        ],
        [
            (Pain, "You report a leak and wait at home all day"),
            (Idea, "Within ten minutes you know when the technician comes"),
            (Opportunity, "Call back the same day, with a photo of the finished work"),
            (Pain, "Three people handled my complaint; I told it three times"),
            (Idea, "One complaint, one person who follows it to the end"),
            (Question, "What could we find before an owner has to say it?"),
            (Opportunity, "Check windows and drains before the rainy season"),
            (Pain, "Nobody tells you it is mended, and then it breaks again"),
        ],
        [
            (Idea, "A long table in the courtyard, every family brings a dish"),
            (Pain, "The same few people come to every event"),
            (Opportunity, "Owners as photographers: an exhibition in the stairwells"),
            (Idea, "Know the birthdays of those who live alone, and knock"),
            (Question, "What would young owners give an evening for?"),
            (Opportunity, "The hour after school: who is there for the children?"),
            (Pain, "Nobody understands the bill, not even the front desk"),
            (Idea, "Every quarter: you said, we did"),
        ],
    ];
    const EN_BUILDS: [Line; 8] = [
        (Idea, "Yes, and let owners pick the time themselves"),
        (Idea, "Yes, and try it in one building for a month"),
        (Opportunity, "Yes, and add a photo so that nobody has to ask"),
        (Idea, "Yes, and when we are late we say so first"),
        (Idea, "Yes, and make it part of the morning briefing"),
        (Opportunity, "Yes, and for elders a call instead of a text"),
        (Idea, "Yes, and tell the person who suggested it"),
        (Question, "Good: and what about nights and holidays?"),
    ];
    let (lines, yes_and) = if language == Language::ZhCn { (&ZH, &ZH_BUILDS) } else { (&EN, &EN_BUILDS) };
    let pool = if builds { yes_and } else { &lines[usize::from(table.0.saturating_sub(1)) % lines.len()] };
    pool.choose(rng).copied().unwrap_or(pool[0])
}
