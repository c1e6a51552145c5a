//! The disk cache: one file for each URL, so that a restart or another process does not fetch it again.
//!
//! A file is written under a temporary name and then renamed, so that readers see the old or the new content, complete.
//! The caller must verify the content again: another writer of the directory can change it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};

use super::request::Validators;
use crate::certificate::hex;
use crate::error::{Code, Error, Result};
use crate::random;

/// The first bytes of every file. Another version of the format has another number.
const MAGIC: &[u8; 16] = b"brokertls-http 1";

/// The largest number of files. Older ones are removed, because strangers choose the URLs.
const MAX_FILES: usize = 256;

/// The largest size of all files, in bytes. Older ones are removed.
const MAX_TOTAL_BYTES: u64 = 1 << 30;

/// The largest size of the head of a file, in bytes.
const MAX_HEAD_BYTES: u64 = 16 * 1024;

/// The age of a temporary file, in seconds, after which its writer is dead.
const LEFTOVER_AGE: Duration = Duration::from_secs(600);

const ENDING: &str = ".http";
const TEMPORARY_ENDING: &str = ".http.new";

/// A directory of fetched content. Any number of threads and processes may use it.
#[derive(Clone, Debug)]
pub struct DiskCache {
    dir: PathBuf,
}

/// The cached content of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The body, unverified.
    pub bytes: Vec<u8>,
    /// The validators for the next request.
    pub validators: Validators,
    /// The time of the server's last confirmation, in seconds since 1970.
    pub fetched_unix_s: i64,
}

impl DiskCache {
    /// Opens the cache, and removes the files of dead writers. Creates the directory for its owner alone if it does not
    /// exist; the parent must exist.
    ///
    /// # Errors
    /// `FILE_UNWRITABLE`.
    pub fn open(dir: &Path) -> Result<Self> {
        let unwritable = |error: io::Error| Error::new(Code::FileUnwritable, error.to_string()).at(dir.display());
        make(dir).or_else(|error| if dir.is_dir() { Ok(()) } else { Err(error) }).map_err(unwritable)?;
        let cache = Self { dir: dir.to_owned() };
        // Reports an unusable directory now and not at the first fetch.
        let (path, _) = cache.temporary("open").map_err(unwritable)?;
        fs::remove_file(path).map_err(unwritable)?;
        cache.sweep();
        Ok(cache)
    }

    /// Returns the content of `url`. `None` if there is none, more than `max_bytes`, or an incomplete file.
    pub fn read(&self, url: &str, max_bytes: usize) -> Option<Stored> {
        let path = self.path_of(url);
        let limit = MAX_HEAD_BYTES.saturating_add(max_bytes as u64);
        // A pipe has no end.
        let metadata = path.symlink_metadata().ok()?;
        if !metadata.is_file() || metadata.len() > limit {
            return None;
        }
        let mut content = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
        File::open(path).ok()?.take(limit).read_to_end(&mut content).ok()?;
        decode(content, url).filter(|stored| stored.bytes.len() <= max_bytes)
    }

    /// Replaces the content of `url`, then removes the oldest files over the limits.
    ///
    /// # Errors
    /// `FILE_UNWRITABLE`: nothing was changed.
    pub fn write(&self, url: &str, stored: &Stored) -> Result<()> {
        let path = self.path_of(url);
        let written = self.replace(&path, &encode_head(url, stored), &stored.bytes);
        written.map_err(|error| Error::new(Code::FileUnwritable, error.to_string()).at(path.display()))?;
        self.sweep();
        Ok(())
    }

    fn path_of(&self, url: &str) -> PathBuf {
        self.dir.join(hex(digest(&SHA256, url.as_bytes()).as_ref()) + ENDING)
    }

    fn replace(&self, path: &Path, head: &[u8], bytes: &[u8]) -> io::Result<()> {
        if head.len() as u64 > MAX_HEAD_BYTES {
            return Err(io::Error::other("a URL or validators too long to be kept"));
        }
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let (temporary, mut file) = self.temporary(name)?;
        let written = (|| {
            file.write_all(head)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        // The name survives a crash. If the directory cannot be synchronised, the old file may come back.
        let _ = File::open(&self.dir).and_then(|dir| dir.sync_all());
        written
    }

    /// Creates a file with a name of its own.
    fn temporary(&self, name: &str) -> io::Result<(PathBuf, File)> {
        let mut random = [0; 16];
        random::fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
        let path = self.dir.join(format!("{name}.{}{TEMPORARY_ENDING}", hex(&random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok((path, file))
    }

    /// Removes files of this cache that are too old, too many or too large. Errors are ignored: another process may
    /// have removed them.
    fn sweep(&self) {
        let now = SystemTime::now();
        let mut kept = Vec::new();
        for entry in self.dir.read_dir().into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let Ok(metadata) = entry.metadata() else { continue };
            let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let is_old = now.duration_since(modified).is_ok_and(|age| age > LEFTOVER_AGE);
            if !metadata.is_file() {
                continue;
            } else if is_name(name, TEMPORARY_ENDING) && is_old {
                let _ = fs::remove_file(entry.path());
            } else if is_name(name, ENDING) {
                kept.push((modified, metadata.len(), entry.path()));
            }
        }
        kept.sort_by_key(|(modified, ..)| std::cmp::Reverse(*modified));
        let mut total = 0_u64;
        for (at, (_, bytes, path)) in kept.iter().enumerate() {
            total = total.saturating_add(*bytes);
            // The newest file was just written.
            if at > 0 && (at >= MAX_FILES || total > MAX_TOTAL_BYTES) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn make(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Returns true if the name is one of the cache's files: a digest in hexadecimal, then the ending.
fn is_name(name: &str, ending: &str) -> bool {
    let Some(stem) = name.strip_suffix(ending) else { return false };
    let parts: Vec<&str> = stem.split('.').collect();
    let is_hex =
        |text: &str, digits: usize| text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    match parts[..] {
        [digest] => is_hex(digest, 64) && ending == ENDING,
        [digest, random] => {
            (is_hex(digest, 64) || digest == "open") && is_hex(random, 32) && ending == TEMPORARY_ENDING
        }
        _ => false,
    }
}

/// Magic, time, then length and bytes of URL, ETag and Last-Modified, and the length of the content, which follows.
fn encode_head(url: &str, stored: &Stored) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend(stored.fetched_unix_s.to_be_bytes());
    let Validators { etag, last_modified } = &stored.validators;
    for text in [Some(url), etag.as_deref(), last_modified.as_deref()] {
        // A missing value differs from an empty one, which no server sends.
        let text = text.unwrap_or_default();
        head.extend((text.len() as u64).to_be_bytes());
        head.extend(text.as_bytes());
    }
    head.extend((stored.bytes.len() as u64).to_be_bytes());
    head
}

/// Removes the head of a file in place, because lists are large.
fn decode(mut content: Vec<u8>, url: &str) -> Option<Stored> {
    let (fetched_unix_s, validators, length) = decode_head(&content, url)?;
    content.drain(..content.len() - length);
    Some(Stored { bytes: content, validators, fetched_unix_s })
}

/// Parses the time, the validators, and the length of the content, which fills the rest.
fn decode_head(content: &[u8], url: &str) -> Option<(i64, Validators, usize)> {
    let rest = content.strip_prefix(MAGIC)?;
    let (time, mut rest) = rest.split_first_chunk()?;
    let mut text = || {
        let (bytes, after) = take(rest)?;
        rest = after;
        std::str::from_utf8(bytes).ok()
    };
    let kept = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (stored_url, etag, last_modified) = (text()?, text()?, text()?);
    let (bytes, rest) = take(rest)?;
    let validators = Validators { etag: kept(etag), last_modified: kept(last_modified) };
    (stored_url == url && rest.is_empty()).then(|| (i64::from_be_bytes(*time), validators, bytes.len()))
}

/// Parses a length and that number of bytes.
fn take(from: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = from.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://crl.example/a.crl";

    fn stored(bytes: &[u8]) -> Stored {
        let validators = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
        Stored { bytes: bytes.to_vec(), validators, fetched_unix_s: 1_767_225_600 }
    }

    #[test]
    fn no_cut_and_no_longer_file_is_taken_for_a_whole_one() {
        let whole = [encode_head(URL, &stored(b"list")), b"list".to_vec()].concat();
        assert_eq!(decode(whole.clone(), URL), Some(stored(b"list")));
        for length in 0..whole.len() {
            assert_eq!(decode(whole[..length].to_vec(), URL), None, "{length}");
        }
        assert_eq!(decode([whole.clone(), vec![0]].concat(), URL), None);
        assert_eq!(decode(whole.clone(), "http://crl.example/b.crl"), None);
        // A length beyond the end.
        for at in MAGIC.len() + 8..whole.len() - 4 {
            let mut altered = whole.clone();
            altered[at] = 0xff;
            assert_ne!(decode(altered, URL), Some(stored(b"list")), "{at}");
        }
    }

    #[test]
    fn files_of_others_are_not_the_caches_own() {
        let digest = "a".repeat(64);
        let random = "b".repeat(32);
        assert!(is_name(&format!("{digest}.http"), ENDING));
        assert!(is_name(&format!("{digest}.{random}.http.new"), TEMPORARY_ENDING));
        for name in ["a.http", "notes.txt", ".http", "open.http", "index.http.new"] {
            assert!(!is_name(name, ENDING) && !is_name(name, TEMPORARY_ENDING), "{name}");
        }
    }
}
