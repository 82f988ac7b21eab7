//! The bearer token of each worker, derived from the console's key file: nothing to store, nothing to hand out, one file to protect.

use crate::model::WorkerId;
use hmac::{Hmac, Mac};
use rand::{TryRngCore, rngs::OsRng};
use sha2::Sha256;
use std::{
    fmt,
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The key's size in bytes.
const KEY_BYTES: usize = 32;
/// Says what the derived bytes are for, so that another use of the same key can never give the same bytes.
const PURPOSE: &[u8] = b"muster worker token 1\0";

/// The console's key.
#[derive(Clone)]
pub struct Keys(Arc<[u8; KEY_BYTES]>);

/// A worker's bearer token: 64 hexadecimal digits. It is not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct WorkerToken(String);

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "The key file {path} holds {size} bytes instead of {KEY_BYTES}. Restore it from a backup, or delete it: \
         a new one is made, and workers started with the old one have to be destroyed and provisioned again."
    )]
    Size { path: PathBuf, size: u64 },
    #[error(
        "There is no key file {0}. Give the directory that the console uses with --data; it makes its key at its first start."
    )]
    Missing(PathBuf),
    #[error("The key file {path} cannot be used: {cause}.")]
    Io { path: PathBuf, cause: io::Error },
    #[error("The system gave no random bytes for a new key: {0}.")]
    Random(String),
}

impl Keys {
    /// Reads `<data>/key`, and makes it first where it is missing. A key that others could read is closed to them, with a warning.
    pub fn load(data: &Path) -> Result<Keys, KeyError> {
        let path = data.join("key");
        let io = |cause| KeyError::Io { path: path.clone(), cause };
        fs::create_dir_all(data).map_err(io)?;
        match Keys::existing(data) {
            Err(KeyError::Missing(_)) => create(&path)?,
            other => return other,
        }
        Keys::existing(data)
    }

    /// The same, for who must not make one: a key that no console uses gives tokens that nobody takes.
    pub fn existing(data: &Path) -> Result<Keys, KeyError> {
        let path = data.join("key");
        let io = |cause| KeyError::Io { path: path.clone(), cause };
        match fs::metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::Missing(path)),
            Err(error) => return Err(io(error)),
        }

        let metadata = fs::metadata(&path).map_err(io)?;
        if metadata.len() != KEY_BYTES as u64 {
            return Err(KeyError::Size { path, size: metadata.len() });
        }
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            tracing::warn!(path = %path.display(), mode = format!("{mode:o}"), "others could read the key file; closing it to them");
            fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(io)?;
        }
        let bytes = fs::read(&path).map_err(io)?;
        let size = bytes.len() as u64;
        let key = bytes.try_into().map_err(|_| KeyError::Size { path: path.clone(), size })?;
        Ok(Keys(Arc::new(key)))
    }

    pub fn worker_token(&self, worker: WorkerId) -> WorkerToken {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes keys of any size");
        mac.update(PURPOSE);
        mac.update(worker.0.as_bytes());
        WorkerToken(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Written whole under another name first, so that no console ever finds half a key; where two are started at once, the first to link wins.
fn create(path: &Path) -> Result<(), KeyError> {
    let io = |cause| KeyError::Io { path: path.to_owned(), cause };
    let mut key = [0; KEY_BYTES];
    OsRng.try_fill_bytes(&mut key).map_err(|error| KeyError::Random(error.to_string()))?;
    let draft = path.with_extension(format!("new-{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(io)?;
    file.write_all(&key).and_then(|()| file.sync_all()).map_err(io)?;
    let linked = fs::hard_link(&draft, path);
    let _ = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(io(error)),
        _ => Ok(()),
    }
}

impl WorkerToken {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WorkerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkerToken(…)")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_key_is_made_once_and_closed_to_others() {
        let data = tempfile::tempdir().unwrap();
        let (one, two) = (WorkerId(Uuid::from_u128(1)), WorkerId(Uuid::from_u128(2)));
        let token = Keys::load(data.path()).unwrap().worker_token(one);
        let path = data.path().join("key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "no draft is left behind");

        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let keys = Keys::load(data.path()).unwrap();
        assert_eq!(keys.worker_token(one), token, "the same key gives the same token");
        assert_ne!(keys.worker_token(two), token, "each worker has its own");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_is_not_there_is_not_made_by_who_only_asks_for_a_token() {
        let data = tempfile::tempdir().unwrap();
        assert!(matches!(Keys::existing(data.path()), Err(KeyError::Missing(_))));
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
        let made = Keys::load(data.path()).unwrap().worker_token(WorkerId(Uuid::from_u128(1)));
        assert_eq!(Keys::existing(data.path()).unwrap().worker_token(WorkerId(Uuid::from_u128(1))), made);
    }

    #[test]
    fn a_key_of_the_wrong_size_is_refused() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("key"), b"short").unwrap();
        assert!(matches!(Keys::load(data.path()), Err(KeyError::Size { size: 5, .. })));
    }
}
