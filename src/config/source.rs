//! The sources of configured bytes: files, memory, a directory, the system. Only this file opens configured files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::keystore::{self, Limits, OpenOptions, Secret, Store};

/// A file or a block of memory with the name that messages use for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Source {
    /// A regular file, read again at every load.
    File(PathBuf),
    /// Bytes and their name; may hold a private key, so they are wiped when dropped.
    Memory {
        /// The name for messages.
        label: String,
        /// The bytes.
        content: Arc<Secret>,
    },
    /// Bytes that a program reads, for example from a file system of its own; read again at every load.
    Reader {
        /// The name for messages.
        label: String,
        /// Reads the bytes.
        reader: SourceReader,
    },
}

/// Reads the bytes of a source. The argument is the largest number that is accepted; the result may have one more.
#[derive(Clone)]
pub struct SourceReader(Arc<ReadCallback>);

type ReadCallback = dyn Fn(usize) -> std::io::Result<Zeroizing<Vec<u8>>> + Send + Sync;

impl std::fmt::Debug for SourceReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SourceReader")
    }
}

impl Source {
    /// A file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// A copy of bytes, called `label` in messages.
    pub fn memory(label: impl Into<String>, bytes: &[u8]) -> Self {
        Self::Memory { label: label.into(), content: Arc::new(Secret::new(bytes)) }
    }

    /// Bytes that the function reads at each load, called `label` in messages.
    pub fn reader(
        label: impl Into<String>,
        read: impl Fn(usize) -> std::io::Result<Zeroizing<Vec<u8>>> + Send + Sync + 'static,
    ) -> Self {
        Self::Reader { label: label.into(), reader: SourceReader(Arc::new(read)) }
    }

    /// The name for messages.
    pub fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Memory { label, .. } | Self::Reader { label, .. } => label.clone(),
        }
    }

    /// Returns true for a pipe, socket or device, which holds no content.
    pub(crate) fn is_special(&self) -> bool {
        match self {
            Self::File(path) => path.metadata().is_ok_and(|metadata| !metadata.is_file()),
            Self::Memory { .. } | Self::Reader { .. } => false,
        }
    }

    /// Opens the store that the bytes are.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`, `STORE_TOO_LARGE`; as for [`keystore::open`].
    pub(crate) fn open(&self, options: &OpenOptions) -> Result<Store> {
        keystore::open(&self.label(), &self.read(&options.limits)?, options)
    }

    /// The bytes, at most `limit` of them; the hint of the error for more says what to do.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`, `STORE_TOO_LARGE`.
    pub(crate) fn read_at_most(&self, limit: usize, hint: &str) -> Result<Zeroizing<Vec<u8>>> {
        let limits = Limits { max_content_bytes: limit, ..Limits::default() };
        self.read(&limits).map_err(|error| match error.code() {
            Code::StoreTooLarge => error.with_hint(hint),
            _ => error,
        })
    }

    /// The bytes, at most `limits.max_content_bytes` of them.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`, `STORE_TOO_LARGE`.
    pub fn read(&self, limits: &Limits) -> Result<Zeroizing<Vec<u8>>> {
        match self {
            Self::File(path) => read_file(path, limits.max_content_bytes),
            Self::Memory { label, content } => {
                let bytes = content.reveal();
                if bytes.len() > limits.max_content_bytes {
                    return Err(too_large(limits.max_content_bytes).at(label));
                }
                Ok(Zeroizing::new(bytes.to_vec()))
            }
            Self::Reader { label, reader } => {
                let unreadable = |error: std::io::Error| Error::new(Code::FileUnreadable, error.to_string()).at(label);
                let bytes = (reader.0)(limits.max_content_bytes).map_err(unreadable)?;
                if bytes.len() > limits.max_content_bytes {
                    return Err(too_large(limits.max_content_bytes).at(label));
                }
                Ok(bytes)
            }
        }
    }
}

/// The files of a directory in the order of their names; hidden ones, and directories in it, are left out. A link that
/// leads nowhere is among them: reading it is the error.
///
/// # Errors
/// `FILE_UNREADABLE`.
pub(crate) fn files_of(directory: &Path) -> Result<Vec<Source>> {
    let unreadable =
        |error: std::io::Error| Error::new(Code::FileUnreadable, error.to_string()).at(directory.display());
    let mut paths = Vec::new();
    for entry in directory.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(Source::File).collect())
}

/// Reads no more than `limit` bytes, and only from regular files: a pipe or device could keep a broker waiting for
/// ever.
fn read_file(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>> {
    let place = path.display();
    let unreadable = |error: std::io::Error| Error::new(Code::FileUnreadable, error.to_string()).at(place.to_string());
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::new(Code::FileUnreadable, "not a regular file").at(place));
    }
    if metadata.len() > limit as u64 {
        return Err(too_large(limit).at(place));
    }
    // Reserved in full, so that growing leaves no copies of a key behind.
    let mut content = Zeroizing::new(Vec::with_capacity(limit.min(metadata.len() as usize + 1)));
    let file = File::open(path).map_err(unreadable)?;
    file.take(limit as u64 + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() > limit {
        return Err(too_large(limit).at(place));
    }
    Ok(content)
}

fn too_large(limit: usize) -> Error {
    Error::new(Code::StoreTooLarge, format!("more than {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_content_bytes: usize) -> Limits {
        Limits { max_content_bytes, ..Limits::default() }
    }

    #[test]
    fn memory_at_the_limit_is_read_and_above_it_refused() {
        let source = Source::memory("config", b"12345");
        assert_eq!(source.read(&limits(5)).unwrap().as_slice(), b"12345");
        let error = source.read(&limits(4)).unwrap_err();
        assert_eq!(error.code(), Code::StoreTooLarge);
        assert!(error.detail().starts_with("config:"), "{error}");
    }

    #[test]
    fn reader_is_called_at_each_read_with_the_limit_and_its_failure_is_that_of_a_file() {
        let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let source = Source::reader("zip:/ca.pem", move |limit| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            assert!(limit == 5 || limit == 4);
            Ok(Zeroizing::new(b"12345".to_vec()))
        });
        assert_eq!(source.read(&limits(5)).unwrap().as_slice(), b"12345");
        assert_eq!(source.read(&limits(4)).unwrap_err().code(), Code::StoreTooLarge);
        assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 2);
        let closed = Source::reader("zip:/ca.pem", |_| Err(std::io::Error::other("the file system is closed")));
        let error = closed.read(&limits(5)).unwrap_err();
        assert_eq!(error.code(), Code::FileUnreadable);
        assert_eq!(error.detail(), "zip:/ca.pem: the file system is closed");
        assert_eq!(format!("{closed:?}"), "Reader { label: \"zip:/ca.pem\", reader: SourceReader }");
    }

    #[test]
    fn missing_file_and_directory_and_device_are_unreadable() {
        for path in ["/nonexistent/broker.ks", "/", "/dev/zero"] {
            let error = Source::file(path).read(&limits(10)).unwrap_err();
            assert_eq!(error.code(), Code::FileUnreadable, "{path}");
            assert!(error.detail().starts_with(path), "{error}");
        }
    }
}
