//! Tables, their version, and how a connection is set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{StoreError, log, registers};

/// Step n brings a database from version n to n + 1. Released steps are never edited; add one.
const MIGRATIONS: &[&str] = &[
    "
    -- Rows carry a small number instead of their stream's name.
    CREATE TABLE streams (
        id   INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;

    -- Nothing is ever updated or deleted here.
    CREATE TABLE rows (
        stream    INTEGER NOT NULL,
        seq       INTEGER NOT NULL,
        at        INTEGER NOT NULL,
        principal TEXT NOT NULL,
        payload   BLOB NOT NULL,
        crc       INTEGER NOT NULL,
        PRIMARY KEY (stream, seq)
    ) STRICT, WITHOUT ROWID;

    -- With a rowid, as payloads are large and would otherwise bloat the search tree.
    CREATE TABLE snapshots (
        stream  INTEGER NOT NULL,
        seq     INTEGER NOT NULL,
        payload BLOB NOT NULL,
        crc     INTEGER NOT NULL,
        PRIMARY KEY (stream, seq)
    ) STRICT;

    CREATE TABLE tokens (
        hash        BLOB PRIMARY KEY,
        workshop    TEXT NOT NULL,
        role        TEXT NOT NULL,
        participant TEXT,
        created_at  INTEGER NOT NULL,
        revoked_at  INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE join_codes (
        code     TEXT PRIMARY KEY,
        workshop TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE clients (
        workshop  TEXT NOT NULL,
        client    INTEGER NOT NULL,
        principal TEXT NOT NULL,
        PRIMARY KEY (workshop, client)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX clients_by_principal ON clients (workshop, principal);

    CREATE TABLE probe (
        id    INTEGER PRIMARY KEY CHECK (id = 1),
        count INTEGER NOT NULL
    ) STRICT;
    ",
    "
    -- Filled in by the step itself, see `migrate_to`.
    ALTER TABLE tokens ADD COLUMN crc INTEGER;
    ALTER TABLE join_codes ADD COLUMN crc INTEGER;
    ALTER TABLE clients ADD COLUMN crc INTEGER;
    ",
    "
    -- For listing and ending the links of one café among those of a hundred thousand.
    CREATE INDEX tokens_by_workshop ON tokens (workshop, role, participant);
    ",
    "
    -- Each stream's name once more, in a tree of its own, and where it ends: what a damaged page hides elsewhere is missed here. Filled in by
    -- the step itself, see `migrate_to`.
    CREATE TABLE names (
        name   TEXT PRIMARY KEY,
        stream INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tails (
        stream INTEGER PRIMARY KEY,
        seq    INTEGER NOT NULL,
        crc    INTEGER NOT NULL
    ) STRICT;
    ",
    "
    -- Rows as they came, until they are filed in `rows`: one entry a commit, in each of two trees.
    CREATE TABLE journal (
        id    INTEGER PRIMARY KEY,
        entry BLOB NOT NULL,
        crc   INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE journal_copy (
        id    INTEGER PRIMARY KEY,
        entry BLOB NOT NULL,
        crc   INTEGER NOT NULL
    ) STRICT;
    ",
];

/// From this version on tokens, join codes and client ids carry checksums.
pub(super) const REGISTERS_SEALED: usize = 2;

/// From this version on it is written down where streams end.
pub(super) const TAILS_SEALED: usize = 4;

/// From this version on there is a journal.
pub(super) const JOURNAL: usize = 5;

/// All statements of this store together, so that none is compiled twice.
const STATEMENTS: usize = 48;

/// Within which an operator's own `sqlite3` shell may hold a lock without an edit failing.
const BUSY: Duration = Duration::from_secs(5);

/// The one connection that writes. Creates the file if need be.
pub(super) fn connect_writer(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    set_up(&connection)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Io(format!(
            "{} cannot hold a write-ahead log (journal mode is {mode}); use a local disk",
            file.display()
        )));
    }
    // NORMAL would lose the last commits when the power fails.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The last pages of a thousand boards that are written on. With two thousand of them 8 MiB measured no better (docs/decisions/0019).
    connection.pragma_update(None, "cache_size", -2 * 1024)?;
    // A busy moment may grow the log; give the space back afterwards.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    super::checkpoint::count_pages(&connection);
    Ok(connection)
}

/// A connection that folds the log, after [`connect_writer`] has made the database.
pub(super) fn connect_checkpointer(file: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    set_up(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn connect_reader(file: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    set_up(&connection)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Savepoints keep undo pages; in memory they cost no file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Notices damaged pages early instead of returning what happens to be there.
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

/// Brings the database to the newest version, one transaction a step.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_to(connection, MIGRATIONS.len())
}

/// Brings the database to `version`; for tests, also to one that has been outgrown.
pub(super) fn migrate_to(connection: &mut Connection, version: usize) -> Result<(), StoreError> {
    let found = check_version(connection)?;
    for (step, sql) in MIGRATIONS.iter().enumerate().take(version).skip(found) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        if step + 1 == REGISTERS_SEALED {
            registers::seal(&transaction)?;
        }
        if step + 1 == TAILS_SEALED {
            log::seal(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", step + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

/// The database's version. Refuses a newer one than this program knows.
pub(super) fn check_version(connection: &Connection) -> Result<usize, StoreError> {
    let known = MIGRATIONS.len();
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(found).ok().filter(|version| *version <= known).ok_or_else(|| {
        StoreError::Io(format!(
            "the database has version {found}, this Tablehop knows up to {known}; start a newer Tablehop"
        ))
    })
}
