//! The lock file's content.

use crate::agent::config::Repository;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read},
};

/// SHA-256, hexadecimal; or why there is none.
pub async fn hash(repository: &Repository) -> Result<String, String> {
    let path = repository.path.join(&repository.lock_file);
    let shown = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || -> io::Result<String> {
        // Opening what is no file, a pipe for one, might wait for ever.
        if !std::fs::metadata(&path)?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let (mut file, mut hash, mut piece) = (File::open(&path)?, Sha256::new(), vec![0; 64 << 10]);
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => hash.update(&piece[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    });
    match read.await {
        Ok(read) => read.map_err(|error| format!("The lock file {shown} cannot be read: {error}")),
        Err(_) => Err(format!("The lock file {shown} cannot be read")),
    }
}
