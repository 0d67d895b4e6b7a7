//! Tokens, join codes and client ids, over a connection. Every function here runs within a transaction that the caller holds.
//!
//! Each row carries a checksum, as those of the log do: a flipped bit must not make a facilitator of a guest, or one's client id another's.
//! Unsigned numbers are stored as the signed ones with the same bits, so client ids are sorted here and not in SQL.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::{DATABASE, StoreError, TokenRecord, schema};

const PUT_TOKEN: &str = "INSERT OR REPLACE INTO tokens (hash, workshop, role, participant, created_at, revoked_at, crc)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const PUT_CODE: &str = "INSERT OR IGNORE INTO join_codes (code, workshop, crc) VALUES (?1, ?2, ?3)";
const PUT_CLIENT: &str = "INSERT OR IGNORE INTO clients (workshop, client, principal, crc) VALUES (?1, ?2, ?3, ?4)";

pub(super) fn put_token(db: &Connection, hash: &[u8; 32], token: &TokenRecord) -> Result<(), StoreError> {
    let number = |number: u64| ValueRef::Integer(number.cast_signed());
    let row = [
        ValueRef::Blob(hash),
        text(&token.workshop),
        text(&token.role),
        token.participant.as_deref().map_or(ValueRef::Null, text),
        number(token.created_at),
        token.revoked_at.map_or(ValueRef::Null, number),
    ];
    write(db, PUT_TOKEN, &row)?;
    Ok(())
}

pub(super) fn token(db: &Connection, hash: &[u8; 32]) -> Result<Option<TokenRecord>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT hash, workshop, role, participant, created_at, revoked_at, crc FROM tokens WHERE hash = ?1",
    )?;
    let found = query.query_row([hash], sound_token);
    found.optional()?.map(|sound| sound.ok_or_else(|| damaged("a token"))).transpose()
}

/// A damaged one opens nothing, and is left out.
pub(super) fn links(db: &Connection, workshop: &str) -> Result<Vec<TokenRecord>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT hash, workshop, role, participant, created_at, revoked_at, crc FROM tokens
             WHERE workshop = ?1 AND role <> 'participant' AND revoked_at IS NULL ORDER BY created_at, participant",
    )?;
    let found = query.query_map([workshop], sound_token)?.collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The token in a row, if its checksum holds.
fn sound_token(row: &Row) -> rusqlite::Result<Option<TokenRecord>> {
    let record = TokenRecord {
        workshop: row.get(1)?,
        role: row.get(2)?,
        participant: row.get(3)?,
        created_at: row.get::<_, i64>(4)?.cast_unsigned(),
        revoked_at: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
    };
    Ok(holds(row, 6)?.then_some(record))
}

pub(super) fn revoke_token(db: &Connection, hash: &[u8; 32], at: u64) -> Result<(), StoreError> {
    match token(db, hash)? {
        Some(record) if record.revoked_at.is_none() => {
            put_token(db, hash, &TokenRecord { revoked_at: Some(at), ..record })
        }
        _ => Ok(()),
    }
}

pub(super) fn revoke_participant(
    db: &Connection,
    workshop: &str,
    participant: &str,
    at: u64,
) -> Result<(), StoreError> {
    let mut query = db.prepare_cached("SELECT hash FROM tokens WHERE workshop = ?1 AND participant = ?2")?;
    let found = query.query_map([workshop, participant], |row| row.get(0))?.collect::<Result<Vec<[u8; 32]>, _>>()?;
    for hash in found {
        match revoke_token(db, &hash, at) {
            // It opens nothing as it is, and is no reason to leave the others open.
            Err(StoreError::Corrupt { .. }) => {}
            done => done?,
        }
    }
    Ok(())
}

pub(super) fn reserve_join_code(db: &Connection, code: &str, workshop: &str) -> Result<bool, StoreError> {
    Ok(write(db, PUT_CODE, &[text(code), text(workshop)])? == 1)
}

pub(super) fn workshop_by_join_code(db: &Connection, code: &str) -> Result<Option<String>, StoreError> {
    let mut query = db.prepare_cached("SELECT code, workshop, crc FROM join_codes WHERE code = ?1")?;
    let found = query.query_row([code], |row| Ok(holds(row, 2)?.then_some(row.get(1)?))).optional()?;
    found.map(|sound| sound.ok_or_else(|| damaged("a join code"))).transpose()
}

pub(super) fn bind_clients(
    db: &Connection,
    workshop: &str,
    principal: &str,
    clients: &[u64],
) -> Result<(), StoreError> {
    for &client in clients {
        let row = [text(workshop), ValueRef::Integer(client.cast_signed()), text(principal)];
        if write(db, PUT_CLIENT, &row)? == 0 && client_owner(db, workshop, client)?.as_deref() != Some(principal) {
            return Err(StoreError::ClientTaken { client });
        }
    }
    Ok(())
}

pub(super) fn clients_of(db: &Connection, workshop: &str, principal: &str) -> Result<Vec<u64>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT workshop, client, principal, crc FROM clients WHERE workshop = ?1 AND principal = ?2",
    )?;
    let mut found = query.query([workshop, principal])?;
    let mut clients = Vec::new();
    while let Some(row) = found.next()? {
        // One id less; there are others.
        if holds(row, 3)? {
            clients.push(row.get::<_, i64>(1)?.cast_unsigned());
        }
    }
    clients.sort_unstable();
    Ok(clients)
}

pub(super) fn client_owner(db: &Connection, workshop: &str, client: u64) -> Result<Option<String>, StoreError> {
    let mut query =
        db.prepare_cached("SELECT workshop, client, principal, crc FROM clients WHERE workshop = ?1 AND client = ?2")?;
    let key = [text(workshop), ValueRef::Integer(client.cast_signed())].map(ToSqlOutput::Borrowed);
    let found = query.query_row(params_from_iter(key), |row| Ok(holds(row, 3)?.then_some(row.get(2)?))).optional()?;
    found.map(|sound| sound.ok_or_else(|| damaged("a client id"))).transpose()
}

// -- Checksums

/// Writes a row and its checksum; gives how many were written.
fn write(db: &Connection, sql: &str, row: &[ValueRef<'_>]) -> Result<usize, StoreError> {
    let crc = ValueRef::Integer(checksum(row.iter().copied()).into());
    let values = row.iter().copied().chain([crc]).map(ToSqlOutput::Borrowed);
    Ok(db.prepare_cached(sql)?.execute(params_from_iter(values))?)
}

/// Whether the checksum, in the column after the first `width`, is theirs.
fn holds(row: &Row<'_>, width: usize) -> rusqlite::Result<bool> {
    let values = (0..width).map(|column| row.get_ref(column)).collect::<Result<Vec<_>, _>>()?;
    Ok(row.get_ref(width)? == ValueRef::Integer(checksum(values).into()))
}

fn checksum<'a>(values: impl IntoIterator<Item = ValueRef<'a>>) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    for value in values {
        // With its kind and length, so that nothing can move from one column to the next unnoticed.
        let (kind, number, bytes): (u8, u64, &[u8]) = match value {
            ValueRef::Null => (0, 0, &[]),
            ValueRef::Integer(number) => (1, number.cast_unsigned(), &[]),
            ValueRef::Real(number) => (2, number.to_bits(), &[]),
            ValueRef::Text(bytes) => (3, bytes.len() as u64, bytes),
            ValueRef::Blob(bytes) => (4, bytes.len() as u64, bytes),
        };
        crc.update(&[kind]);
        crc.update(&number.to_le_bytes());
        crc.update(bytes);
    }
    crc.finalize()
}

/// Also of a text in which a flipped bit has left something else: its checksum says so, and the other rows are still to be read.
fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_owned()),
    }
}

fn text(text: &str) -> ValueRef<'_> {
    ValueRef::Text(text.as_bytes())
}

fn damaged(what: &str) -> StoreError {
    StoreError::Corrupt { stream: DATABASE.to_owned(), what: format!("the checksum of {what} does not hold") }
}

// -- For the command line: all of them, table by table

/// One of the tables.
struct Table {
    name: &'static str,
    /// In the order of the checksum, the key first.
    columns: &'static [&'static str],
    /// How many of them are the key.
    key: usize,
    /// What a row of it is.
    what: &'static str,
}

const TABLES: [Table; 3] = [
    Table {
        name: "tokens",
        columns: &["hash", "workshop", "role", "participant", "created_at", "revoked_at"],
        key: 1,
        what: "a token",
    },
    Table { name: "join_codes", columns: &["code", "workshop"], key: 1, what: "a join code" },
    Table { name: "clients", columns: &["workshop", "client", "principal"], key: 2, what: "a client id" },
];

impl Table {
    /// All rows that fit, each with whether its checksum holds; without one, in a database of an earlier version, it is taken for sound.
    fn rows(&self, db: &Connection, filter: &str, values: &[Value]) -> Result<Vec<(Vec<Value>, bool)>, StoreError> {
        let crc = if schema::check_version(db)? < schema::REGISTERS_SEALED { "NULL" } else { "crc" };
        let width = self.columns.len();
        let mut query =
            db.prepare(&format!("SELECT {}, {crc} FROM {} {filter}", self.columns.join(", "), self.name))?;
        let mut found = query.query(params_from_iter(values))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let is_sound = crc == "NULL" || holds(row, width)?;
            let values = (0..width).map(|column| Ok(owned(row.get_ref(column)?)));
            rows.push((values.collect::<Result<_, StoreError>>()?, is_sound));
        }
        Ok(rows)
    }

    fn of_cafe(&self, db: &Connection, cafe: &str) -> Result<Vec<(Vec<Value>, bool)>, StoreError> {
        self.rows(db, "WHERE workshop = ?1", &[cafe.to_owned().into()])
    }

    /// The row with the same key.
    fn same(&self, db: &Connection, row: &[Value]) -> Result<Option<(Vec<Value>, bool)>, StoreError> {
        Ok(self.rows(db, &self.filter(), &row[..self.key])?.pop())
    }

    fn filter(&self) -> String {
        let key = self.columns[..self.key].iter().zip(1..).map(|(column, at)| format!("{column} = ?{at}"));
        format!("WHERE {}", key.collect::<Vec<_>>().join(" AND "))
    }

    fn put(&self, db: &Connection, row: &[Value]) -> Result<(), StoreError> {
        let places = (1..=self.columns.len() + 1).map(|at| format!("?{at}")).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT OR REPLACE INTO {} ({}, crc) VALUES ({places})", self.name, self.columns.join(", "));
        write(db, &sql, &row.iter().map(ValueRef::from).collect::<Vec<_>>())?;
        Ok(())
    }
}

/// What stands beside the streams of one café, table by table; what is damaged is left out.
#[derive(Debug, Default, PartialEq)]
pub struct Registers(Vec<Vec<Vec<Value>>>);

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens: links, and devices of guests.
    pub tokens: usize,
    /// Join codes.
    pub codes: usize,
    /// Client ids.
    pub clients: usize,
}

impl Counts {
    fn of(counts: [usize; 3]) -> Self {
        let [tokens, codes, clients] = counts;
        Self { tokens, codes, clients }
    }
}

/// What was found when all of them were looked through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    /// How many have a checksum.
    pub count: usize,
    /// Which of those do not hold, in words.
    pub faults: Vec<String>,
}

/// Gives every row its checksum: those of a database from before there was one.
pub(super) fn seal(db: &Connection) -> Result<(), StoreError> {
    for table in &TABLES {
        for (row, _) in table.rows(db, "", &[])? {
            table.put(db, &row)?;
        }
    }
    Ok(())
}

/// Looks at each of them. None has a checksum in a database of an earlier version.
pub(super) fn inspect(db: &Connection) -> Result<Inspected, StoreError> {
    let mut inspected = Inspected::default();
    if schema::check_version(db)? < schema::REGISTERS_SEALED {
        return Ok(inspected);
    }
    for table in &TABLES {
        for (row, is_sound) in table.rows(db, "", &[])? {
            inspected.count += 1;
            if !is_sound {
                let cafe = table.columns.iter().zip(&row).find(|(column, _)| **column == "workshop");
                let cafe = match cafe {
                    Some((_, Value::Text(cafe))) => cafe,
                    _ => "unknown",
                };
                inspected.faults.push(format!("{} of café {cafe}: its checksum does not hold", table.what));
            }
        }
    }
    Ok(inspected)
}

/// The tokens, join codes and client ids of a café that are sound.
pub(super) fn of_cafe(db: &Connection, cafe: &str) -> Result<Registers, StoreError> {
    let sound = |table: &Table| -> Result<_, StoreError> {
        let rows = table.of_cafe(db, cafe)?.into_iter();
        Ok(rows.filter_map(|(row, is_sound)| is_sound.then_some(row)).collect())
    };
    Ok(Registers(TABLES.iter().map(sound).collect::<Result<_, _>>()?))
}

/// Writes what is not there, or damaged; returns how many those are. What is there stays, for it may be newer: a token that has been
/// revoked since must not come to life again. What is damaged and not in `registers` is of no use, and goes.
pub(super) fn bring_back(db: &Connection, cafe: &str, registers: &Registers) -> Result<Counts, StoreError> {
    let mut counts = [0; 3];
    for ((table, rows), count) in TABLES.iter().zip(&registers.0).zip(&mut counts) {
        for (row, is_sound) in table.of_cafe(db, cafe)? {
            if !is_sound {
                let sql = format!("DELETE FROM {} {}", table.name, table.filter());
                db.execute(&sql, params_from_iter(&row[..table.key]))?;
            }
        }
        for row in rows {
            if table.same(db, row)?.is_none_or(|(_, is_sound)| !is_sound) {
                table.put(db, row)?;
                *count += 1;
            }
        }
    }
    Ok(Counts::of(counts))
}

pub(super) fn count(db: &Connection, cafe: &str) -> Result<Counts, StoreError> {
    let mut counts = [0; 3];
    for (table, count) in TABLES.iter().zip(&mut counts) {
        let sql = format!("SELECT count(*) FROM {} WHERE workshop = ?1", table.name);
        *count = usize::try_from(db.query_row(&sql, [cafe], |row| row.get::<_, i64>(0))?).unwrap_or(0);
    }
    Ok(Counts::of(counts))
}

/// For good; see [`super::removal`].
pub(super) fn remove(db: &Connection, cafe: &str) -> Result<(), StoreError> {
    for table in &TABLES {
        db.execute(&format!("DELETE FROM {} WHERE workshop = ?1", table.name), [cafe])?;
    }
    Ok(())
}

/// Counts on, so that the page really changes and the commit really reaches the disk.
pub(super) fn write_probe(db: &Connection) -> Result<i64, StoreError> {
    let mut upsert = db.prepare_cached(
        "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1 RETURNING count",
    )?;
    Ok(upsert.query_row([], |row| row.get(0))?)
}

pub(super) fn read_probe(db: &Connection) -> Result<i64, StoreError> {
    let mut query = db.prepare_cached("SELECT count FROM probe WHERE id = 1")?;
    Ok(query.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}
