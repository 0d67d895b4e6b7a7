//! Tokens, join codes and client ids, over a connection. Every function here runs within a transaction that the caller holds.
//!
//! Unsigned numbers are stored as the signed ones with the same bits, so client ids are sorted here and not in SQL.

use rusqlite::{Connection, OptionalExtension, params};

use super::{StoreError, TokenRecord};

pub(super) fn put_token(db: &Connection, hash: &[u8; 32], token: &TokenRecord) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO tokens (hash, workshop, role, participant, created_at, revoked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        hash,
        token.workshop,
        token.role,
        token.participant,
        token.created_at.cast_signed(),
        token.revoked_at.map(u64::cast_signed),
    ])?;
    Ok(())
}

pub(super) fn token(db: &Connection, hash: &[u8; 32]) -> Result<Option<TokenRecord>, StoreError> {
    let mut query =
        db.prepare_cached("SELECT workshop, role, participant, created_at, revoked_at FROM tokens WHERE hash = ?1")?;
    let found = query.query_row([hash], |row| {
        Ok(TokenRecord {
            workshop: row.get(0)?,
            role: row.get(1)?,
            participant: row.get(2)?,
            created_at: row.get::<_, i64>(3)?.cast_unsigned(),
            revoked_at: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
        })
    });
    Ok(found.optional()?)
}

pub(super) fn revoke_token(db: &Connection, hash: &[u8; 32], at: u64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE tokens SET revoked_at = ?2 WHERE hash = ?1 AND revoked_at IS NULL")?
        .execute(params![hash, at.cast_signed()])?;
    Ok(())
}

pub(super) fn revoke_participant(
    db: &Connection,
    workshop: &str,
    participant: &str,
    at: u64,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE tokens SET revoked_at = ?3 WHERE workshop = ?1 AND participant = ?2 AND revoked_at IS NULL",
    )?
    .execute(params![workshop, participant, at.cast_signed()])?;
    Ok(())
}

pub(super) fn reserve_join_code(db: &Connection, code: &str, workshop: &str) -> Result<bool, StoreError> {
    let inserted = db
        .prepare_cached("INSERT OR IGNORE INTO join_codes (code, workshop) VALUES (?1, ?2)")?
        .execute([code, workshop])?;
    Ok(inserted == 1)
}

pub(super) fn workshop_by_join_code(db: &Connection, code: &str) -> Result<Option<String>, StoreError> {
    let mut query = db.prepare_cached("SELECT workshop FROM join_codes WHERE code = ?1")?;
    Ok(query.query_row([code], |row| row.get(0)).optional()?)
}

pub(super) fn bind_clients(
    db: &Connection,
    workshop: &str,
    principal: &str,
    clients: &[u64],
) -> Result<(), StoreError> {
    let mut insert =
        db.prepare_cached("INSERT OR IGNORE INTO clients (workshop, client, principal) VALUES (?1, ?2, ?3)")?;
    for &client in clients {
        let inserted = insert.execute(params![workshop, client.cast_signed(), principal])?;
        if inserted == 0 && client_owner(db, workshop, client)?.as_deref() != Some(principal) {
            return Err(StoreError::ClientTaken { client });
        }
    }
    Ok(())
}

pub(super) fn clients_of(db: &Connection, workshop: &str, principal: &str) -> Result<Vec<u64>, StoreError> {
    let mut query = db.prepare_cached("SELECT client FROM clients WHERE workshop = ?1 AND principal = ?2")?;
    let mut found = query.query([workshop, principal])?;
    let mut clients = Vec::new();
    while let Some(row) = found.next()? {
        clients.push(row.get::<_, i64>(0)?.cast_unsigned());
    }
    clients.sort_unstable();
    Ok(clients)
}

pub(super) fn client_owner(db: &Connection, workshop: &str, client: u64) -> Result<Option<String>, StoreError> {
    let mut query = db.prepare_cached("SELECT principal FROM clients WHERE workshop = ?1 AND client = ?2")?;
    Ok(query.query_row(params![workshop, client.cast_signed()], |row| row.get(0)).optional()?)
}

/// What stands beside the streams of one café.
#[derive(Debug, Default)]
pub struct Registers {
    tokens: Vec<([u8; 32], TokenRecord)>,
    codes: Vec<String>,
    clients: Vec<(u64, String)>,
}

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

/// The tokens, join codes and client ids of a café.
pub(super) fn of_cafe(db: &Connection, cafe: &str) -> Result<Registers, StoreError> {
    let mut registers = Registers::default();
    let mut query = db.prepare("SELECT hash FROM tokens WHERE workshop = ?1")?;
    let mut found = query.query([cafe])?;
    while let Some(row) = found.next()? {
        let hash: [u8; 32] = row.get(0)?;
        registers.tokens.extend(token(db, &hash)?.map(|token| (hash, token)));
    }
    let mut query = db.prepare("SELECT code FROM join_codes WHERE workshop = ?1")?;
    registers.codes = query.query_map([cafe], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut query = db.prepare("SELECT client, principal FROM clients WHERE workshop = ?1")?;
    let found = query.query_map([cafe], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)))?;
    registers.clients = found.collect::<Result<_, _>>()?;
    Ok(registers)
}

/// Writes what is not there; what is there stays, for it may be newer: a token that has been revoked since must not come to life again.
pub(super) fn bring_back(db: &Connection, cafe: &str, registers: &Registers) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    for (hash, record) in &registers.tokens {
        if token(db, hash)?.is_none() {
            put_token(db, hash, record)?;
            counts.tokens += 1;
        }
    }
    for code in &registers.codes {
        counts.codes += usize::from(reserve_join_code(db, code, cafe)?);
    }
    for (client, principal) in &registers.clients {
        if client_owner(db, cafe, *client)?.is_none() {
            bind_clients(db, cafe, principal, &[*client])?;
            counts.clients += 1;
        }
    }
    Ok(counts)
}

pub(super) fn count(db: &Connection, cafe: &str) -> Result<Counts, StoreError> {
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table} WHERE workshop = ?1");
        db.query_row(&sql, [cafe], |row| row.get::<_, i64>(0)).map(|count| usize::try_from(count).unwrap_or(0))
    };
    Ok(Counts { tokens: count("tokens")?, codes: count("join_codes")?, clients: count("clients")? })
}

/// For good; see [`super::removal`].
pub(super) fn remove(db: &Connection, cafe: &str) -> Result<(), StoreError> {
    for table in ["tokens", "join_codes", "clients"] {
        db.execute(&format!("DELETE FROM {table} WHERE workshop = ?1"), [cafe])?;
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
