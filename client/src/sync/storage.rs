//! What survives a reload: documents, edits not acknowledged, unused client ids and the last view, in IndexedDB; and what is on its way
//! there, in [`super::journal`].
//!
//! Keys begin with a *scope*: one person in one workshop on this device, because client ids and pending edits belong to who made
//! them. Where IndexedDB is missing (private windows) or fails, everything goes on in memory, and only the journal's edits are remembered.

use std::cell::{Cell, RefCell};
use std::future::IntoFuture;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use idb::{
    Database, DatabaseEvent, Factory, KeyRange, ObjectStore, ObjectStoreParams, Query, Transaction, TransactionMode,
};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::journal;
use super::outbox::EditKey;
use super::ready::Ready;

const DATABASE: &str = "tablehop";
const VERSION: u32 = 1;
/// Scope/board → the whole document as an update.
const BOARDS: &str = "boards";
/// Scope/board/client/number → an edit not acknowledged.
const EDITS: &str = "edits";
/// Scope/client → an unused client id.
const CLIENTS: &str = "clients";
/// Scope → the last view, as JSON.
const VIEWS: &str = "views";
const STORES: [&str; 4] = [BOARDS, EDITS, CLIENTS, VIEWS];
/// Some browsers never answer when asked to open a database; after so many milliseconds we do without.
const PATIENCE: u32 = 3_000;
/// Unused client ids kept for a scope: one for each board somebody opens while offline, with room.
const CLIENTS_KEPT: u32 = 64;

/// A document as it was stored.
#[derive(Debug, Default)]
pub struct StoredBoard {
    /// The whole document, if it was stored before.
    pub state: Option<Vec<u8>>,
    /// Edits not acknowledged, by this page's earlier lives or by other tabs.
    pub edits: Vec<(EditKey, Vec<u8>)>,
}

/// The storage of this browser.
#[derive(Clone)]
pub struct Storage {
    database: Option<Rc<Database>>,
    /// Client ids, where there is no database.
    clients: Rc<RefCell<Vec<(String, u64)>>>,
}

impl Storage {
    /// Opens it; the same for all who ask.
    pub async fn open() -> Self {
        thread_local! {
            static STORAGE: Rc<Ready<Storage>> = Rc::default();
            static ASKED: Cell<bool> = const { Cell::new(false) };
        }
        let ready = STORAGE.with(Rc::clone);
        if !ASKED.replace(true) {
            let late = ready.clone();
            let give_up = Timeout::new(PATIENCE, move || late.set(Self::without()));
            let opened = ready.clone();
            wasm_bindgen_futures::spawn_local(async move {
                let database = open_database().await.ok().map(Rc::new);
                drop(give_up);
                opened.set(Self { database, clients: Rc::default() });
            });
        }
        ready.wait().await
    }

    fn without() -> Self {
        Self { database: None, clients: Rc::default() }
    }

    /// Whether nothing is remembered beyond this page.
    pub fn is_memory(&self) -> bool {
        self.database.is_none()
    }

    /// Reads a board's document and its pending edits.
    pub async fn board(&self, scope: &str, board: &str) -> StoredBoard {
        // First, for an edit goes from the journal into the database, never back.
        let journal = journal::edits(&format!("{scope}/{board}/"));
        let mut stored = match &self.database {
            Some(database) => read_board(database, scope, board).await.unwrap_or_default(),
            None => StoredBoard::default(),
        };
        for (key, update) in journal {
            // Keys come sorted, and so do edits of one document from first to last.
            if let Err(at) = stored.edits.binary_search_by(|(other, _)| other.cmp(&key)) {
                stored.edits.insert(at, (key, update));
            }
        }
        stored
    }

    /// The boards of a scope that have pending edits: each one's part in the keys.
    pub async fn boards_with_edits(&self, scope: &str) -> Vec<String> {
        let mut keys = journal::keys(&format!("{scope}/"));
        if let Some(database) = &self.database {
            keys.extend(edit_keys(database, scope).await.unwrap_or_default());
        }
        let mut boards: Vec<String> = keys.iter().filter_map(|key| Some(key.split('/').nth(1)?.to_owned())).collect();
        boards.sort_unstable();
        boards.dedup();
        boards
    }

    /// Stores a board's whole document.
    pub async fn put_board(&self, scope: &str, board: &str, state: &[u8]) {
        self.put(BOARDS, &format!("{scope}/{board}"), &Uint8Array::from(state).into()).await;
    }

    /// Writes a pending edit down, before it returns and before anything is opened.
    pub fn write_edit_down(key: &EditKey, update: &[u8]) {
        journal::put(key, update);
    }

    /// Stores a pending edit that was written down.
    pub async fn put_edit(&self, key: &EditKey, update: &[u8]) {
        let Some(database) = &self.database else { return };
        if put(database, EDITS, key, &Uint8Array::from(update).into()).await.is_ok() {
            journal::remove(std::slice::from_ref(key));
        }
    }

    /// Forgets edits that are on the server's disk.
    pub async fn remove_edits(&self, keys: &[EditKey]) {
        journal::remove(keys);
        let Some(database) = &self.database else { return };
        let _ = remove(database, EDITS, keys).await;
    }

    /// Keeps an unused client id.
    pub async fn put_client(&self, scope: &str, client: u64) {
        let Some(database) = &self.database else {
            self.clients.borrow_mut().push((scope.to_owned(), client));
            return;
        };
        if put_client(database, scope, client).await.is_err() {
            self.clients.borrow_mut().push((scope.to_owned(), client));
        }
    }

    /// Takes a client id that nobody else will get: reading and removing it is one transaction. None if there is none.
    pub async fn take_client(&self, scope: &str) -> Option<u64> {
        {
            let mut clients = self.clients.borrow_mut();
            if let Some(at) = clients.iter().position(|(of, _)| of == scope) {
                return Some(clients.swap_remove(at).1);
            }
        }
        take_client(self.database.as_ref()?, scope).await.ok().flatten()
    }

    /// The last view that was stored, as JSON.
    pub async fn view(&self, scope: &str) -> Option<String> {
        let transaction = self.database.as_ref()?.transaction(&[VIEWS], TransactionMode::ReadOnly).ok()?;
        let request = transaction.object_store(VIEWS).ok()?.get(JsValue::from_str(scope)).ok()?;
        request.await.ok()??.as_string()
    }

    /// Stores the last view.
    pub async fn put_view(&self, scope: &str, json: &str) {
        self.put(VIEWS, scope, &JsValue::from_str(json)).await;
    }

    /// Forgets everything of a scope.
    pub async fn forget(&self, scope: &str) {
        journal::remove(&journal::keys(&format!("{scope}/")));
        let Some(database) = &self.database else { return };
        let _ = forget(database, scope).await;
    }

    async fn put(&self, store: &str, key: &str, value: &JsValue) {
        let Some(database) = &self.database else { return };
        // A full disk or a database that was closed under us: writing goes on without.
        let _ = put(database, store, key, value).await;
    }
}

async fn open_database() -> Result<Database, idb::Error> {
    let mut request = Factory::new()?.open(DATABASE, Some(VERSION))?;
    request.on_upgrade_needed(|event| {
        if let Ok(database) = event.database() {
            for store in STORES {
                // Fails if it is there already.
                let _ = database.create_object_store(store, ObjectStoreParams::new());
            }
        }
    });
    let mut database = request.await?;
    // A later version in another tab must not wait for this one.
    database.on_version_change(|event| {
        if let Some(Ok(database)) = event.target().map(Database::try_from) {
            database.close();
        }
    });
    Ok(database)
}

fn begin(database: &Database, store: &str, mode: TransactionMode) -> Result<(Transaction, ObjectStore), idb::Error> {
    let transaction = database.transaction(&[store], mode)?;
    let store = transaction.object_store(store)?;
    Ok((transaction, store))
}

async fn put(database: &Database, store: &str, key: &str, value: &JsValue) -> Result<(), idb::Error> {
    let (transaction, store) = begin(database, store, TransactionMode::ReadWrite)?;
    store.put(value, Some(&JsValue::from_str(key)))?;
    // Without waiting for the answer, which would keep the transaction open for another turn of the page's loop.
    transaction.commit()?.await?;
    Ok(())
}

async fn remove(database: &Database, store: &str, keys: &[String]) -> Result<(), idb::Error> {
    let (transaction, store) = begin(database, store, TransactionMode::ReadWrite)?;
    for key in keys {
        store.delete(Query::Key(JsValue::from_str(key)))?;
    }
    transaction.await?;
    Ok(())
}

async fn read_board(database: &Database, scope: &str, board: &str) -> Result<StoredBoard, idb::Error> {
    // One transaction over both, so that no edit can slip from one into the other between.
    let transaction = database.transaction(&[BOARDS, EDITS], TransactionMode::ReadOnly)?;
    let edits = transaction.object_store(EDITS)?;
    let range = || prefix(&format!("{scope}/{board}/"));
    let state = transaction.object_store(BOARDS)?.get(JsValue::from_str(&format!("{scope}/{board}")))?;
    let keys = edits.get_all_keys(Some(range()?.into()), None)?;
    let values = edits.get_all(Some(range()?.into()), None)?;
    // All three listen before the first answer comes.
    let (state, keys, values) = (state.into_future(), keys.into_future(), values.into_future());
    let (state, keys, values) = (state.await?, keys.await?, values.await?);
    Ok(StoredBoard {
        state: state.map(|value| Uint8Array::new(&value).to_vec()),
        edits: keys
            .into_iter()
            .zip(values)
            .filter_map(|(key, value)| Some((key.as_string()?, Uint8Array::new(&value).to_vec())))
            .collect(),
    })
}

async fn edit_keys(database: &Database, scope: &str) -> Result<Vec<EditKey>, idb::Error> {
    let (_transaction, store) = begin(database, EDITS, TransactionMode::ReadOnly)?;
    let keys = store.get_all_keys(Some(prefix(&format!("{scope}/"))?.into()), None)?.await?;
    Ok(keys.iter().filter_map(JsValue::as_string).collect())
}

async fn put_client(database: &Database, scope: &str, client: u64) -> Result<(), idb::Error> {
    let (transaction, store) = begin(database, CLIENTS, TransactionMode::ReadWrite)?;
    let range = prefix(&format!("{scope}/"))?;
    if store.count(Some(range.into()))?.await? < CLIENTS_KEPT {
        store.put(&JsValue::from_f64(client as f64), Some(&JsValue::from_str(&format!("{scope}/{client}"))))?.await?;
    }
    transaction.await?;
    Ok(())
}

async fn take_client(database: &Database, scope: &str) -> Result<Option<u64>, idb::Error> {
    let (transaction, store) = begin(database, CLIENTS, TransactionMode::ReadWrite)?;
    let range = prefix(&format!("{scope}/"))?;
    let first = store.get_all_keys(Some(range.into()), Some(1))?.await?.into_iter().next();
    let mut client = None;
    if let Some(key) = first {
        client = store.get(key.clone())?.await?.and_then(|value| value.as_f64()).map(|value| value as u64);
        store.delete(key)?.await?;
    }
    // Only once the removal holds is the id ours.
    transaction.await?;
    Ok(client)
}

async fn forget(database: &Database, scope: &str) -> Result<(), idb::Error> {
    let transaction = database.transaction(&STORES, TransactionMode::ReadWrite)?;
    for store in STORES {
        transaction.object_store(store)?.delete(prefix(&format!("{scope}/"))?)?;
    }
    transaction.object_store(VIEWS)?.delete(JsValue::from_str(scope))?;
    transaction.await?;
    Ok(())
}

/// All keys that begin so.
fn prefix(start: &str) -> Result<KeyRange, idb::Error> {
    KeyRange::bound(&JsValue::from_str(start), &JsValue::from_str(&format!("{start}\u{ffff}")), None, Some(true))
}
