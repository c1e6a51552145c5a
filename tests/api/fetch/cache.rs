//! The cache of what was fetched, with files cut, damaged, replaced and written by many at once.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use brokertls::Code;
use brokertls::fetch::Validators;
use brokertls::fetch::cache::{DiskCache, Stored};

const URL: &str = "http://crl.example/ca.crl";

/// A directory that is removed with its content.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("brokertls-cache-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn cache(&self) -> DiskCache {
        DiskCache::open(&self.0.join("cache")).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.join("cache")).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stored(bytes: &[u8]) -> Stored {
    Stored { bytes: bytes.to_vec(), validators: Validators::default(), fetched_unix_s: 1_767_225_600 }
}

#[test]
fn what_was_written_is_read_by_whoever_opens_the_directory() {
    let folder = Folder::new("written");
    let cache = folder.cache();
    assert_eq!(cache.read(URL, 1000), None);
    let both =
        Validators { etag: Some("\"1\"".to_owned()), last_modified: Some("Thu, 01 Jan 2026 00:00:00 GMT".to_owned()) };
    let one = Validators { last_modified: None, ..both.clone() };
    for (validators, bytes, fetched_unix_s) in
        [(both, b"list".as_slice(), 0), (one, b"", -1), (Validators::default(), b"\0", i64::MAX)]
    {
        let stored = Stored { bytes: bytes.to_vec(), validators, fetched_unix_s };
        cache.write(URL, &stored).unwrap();
        assert_eq!(folder.cache().read(URL, 4), Some(stored));
    }
    assert_eq!(cache.read("http://crl.example/other.crl", 1000), None);
    assert_eq!(folder.files().len(), 1);
}

#[test]
fn directory_and_files_are_for_their_owner_alone() {
    let folder = Folder::new("owner");
    folder.cache().write(URL, &stored(b"list")).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0.join("cache")), 0o700);
    assert_eq!(folder.files().iter().map(|path| mode(path)).collect::<Vec<_>>(), [0o600]);
}

#[test]
fn content_over_the_limit_is_not_read() {
    let folder = Folder::new("limit");
    let cache = folder.cache();
    cache.write(URL, &stored(&[7; 1000])).unwrap();
    assert_eq!(cache.read(URL, 1000), Some(stored(&[7; 1000])));
    assert_eq!(cache.read(URL, 999), None);
    // A hole of a terabyte costs no disk, and must cost no memory.
    File::options().write(true).open(&folder.files()[0]).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(cache.read(URL, 1000), None);
}

#[test]
fn damaged_files_are_as_good_as_none() {
    let folder = Folder::new("damaged");
    let cache = folder.cache();
    let whole =
        Stored { validators: Validators { etag: Some("\"1\"".to_owned()), last_modified: None }, ..stored(b"list") };
    cache.write(URL, &whole).unwrap();
    let path = folder.files().remove(0);
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert_eq!(cache.read(URL, 1000), None, "{length}");
    }
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 0x80;
        fs::write(&path, altered).unwrap();
        // The time, the ETag and the content may be altered without that being seen; nothing more than them.
        let length = cache.read(URL, 1000).map_or(4, |stored| stored.bytes.len());
        assert_eq!(length, 4, "{at}");
    }
    for garbage in [vec![0; 100_000], vec![0xff; 100], b"brokertls-http 2".repeat(10)] {
        fs::write(&path, garbage).unwrap();
        assert_eq!(cache.read(URL, 1_000_000), None);
    }
    cache.write(URL, &whole).unwrap();
    assert_eq!(cache.read(URL, 1000), Some(whole));
}

#[test]
fn what_is_no_file_is_not_read() {
    let folder = Folder::new("nofile");
    let cache = folder.cache();
    cache.write(URL, &stored(b"list")).unwrap();
    let path = folder.files().remove(0);
    let elsewhere = folder.0.join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(cache.read(URL, 1000), None);
    fs::remove_file(&path).unwrap();
    // Opening a pipe would wait for its other end.
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(cache.read(URL, 1000), None);
    // A file takes the place of either.
    cache.write(URL, &stored(b"new")).unwrap();
    assert_eq!(cache.read(URL, 1000), Some(stored(b"new")));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(cache.read(URL, 1000), None);
    assert_eq!(cache.write(URL, &stored(b"new")).unwrap_err().code(), Code::FileUnwritable);
    assert_eq!(folder.files(), [path]);
}

#[test]
fn urls_of_strangers_cannot_fill_the_disk() {
    let folder = Folder::new("many");
    let cache = folder.cache();
    let url = |at: usize| format!("http://crl.example/{at}");
    let age = |at: usize| {
        let path = folder.files().into_iter().max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap();
        let time = SystemTime::now() - Duration::from_secs(10_000 - at as u64);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    for at in 0..300 {
        cache.write(&url(at), &stored(b"list")).unwrap();
        age(at);
    }
    assert_eq!(folder.files().len(), 256);
    assert_eq!((0..300).find(|at| cache.read(&url(*at), 1000).is_some()), Some(44));
    // Large ones go sooner: two of them, made of holes, are more than may be kept.
    for path in &folder.files()[..2] {
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(600 << 20).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }
    cache.write(URL, &stored(b"list")).unwrap();
    assert_eq!(folder.files().len(), 2);
    assert_eq!(cache.read(URL, 1000), Some(stored(b"list")));
}

#[test]
fn leftovers_are_removed_and_files_of_others_are_not() {
    let folder = Folder::new("leftovers");
    let cache = folder.cache();
    cache.write(URL, &stored(b"list")).unwrap();
    let dir = folder.0.join("cache");
    let digest = "0123456789abcdef".repeat(4);
    let random = "0123456789abcdef".repeat(2);
    let old_leftover = dir.join(format!("{digest}.{random}.http.new"));
    let new_leftover = dir.join(format!("{digest}.{}.http.new", random.replace('0', "1")));
    let others = [dir.join("notes.txt"), dir.join("a.http"), dir.join(format!("{digest}.http.new"))];
    let old = SystemTime::now() - Duration::from_secs(3600);
    for path in others.iter().chain([&old_leftover, &new_leftover]) {
        let file = File::create(path).unwrap();
        file.set_modified(if *path == new_leftover { SystemTime::now() } else { old }).unwrap();
    }
    let cache = DiskCache::open(&dir).unwrap();
    assert!(!old_leftover.exists() && new_leftover.exists());
    assert!(others.iter().all(|path| path.exists()));
    assert_eq!(cache.read(URL, 1000), Some(stored(b"list")));
}

#[test]
fn directory_that_cannot_be_written_to_is_told_at_once() {
    let folder = Folder::new("unwritable");
    let file = folder.0.join("file");
    fs::write(&file, b"").unwrap();
    for path in [file.as_path(), &file.join("below"), &folder.0.join("missing/below"), Path::new("/proc/brokertls")] {
        let error = DiskCache::open(path).unwrap_err();
        assert_eq!(error.code(), Code::FileUnwritable, "{}", path.display());
        assert!(error.detail().starts_with(&path.display().to_string()), "{error}");
    }
    // One that goes away later fails when it is written to.
    let cache = folder.cache();
    fs::remove_dir(folder.0.join("cache")).unwrap();
    assert_eq!(cache.write(URL, &stored(b"list")).unwrap_err().code(), Code::FileUnwritable);
    assert_eq!(cache.read(URL, 1000), None);
}

#[test]
fn url_too_long_to_be_kept_is_told() {
    let folder = Folder::new("long");
    let error = folder.cache().write(&"a".repeat(20_000), &stored(b"list")).unwrap_err();
    assert_eq!(error.code(), Code::FileUnwritable);
    assert!(folder.files().is_empty());
}

/// Content that carries its number in every part.
fn numbered(number: u8) -> Stored {
    let validators = Validators { etag: Some(format!("\"{number}\"")), last_modified: None };
    Stored { bytes: vec![number; 1000 * usize::from(number)], validators, fetched_unix_s: number.into() }
}

/// Four threads that write and four that read one URL; returns how often something was read.
fn contend(cache: &DiskCache) -> usize {
    let read = || {
        (0..300).filter(|_| {
            let found = cache.read(URL, 1_000_000);
            // Never a part of one, nor parts of two.
            assert!(found.as_ref().is_none_or(|found| *found == numbered(found.fetched_unix_s as u8)));
            found.is_some()
        })
    };
    thread::scope(|scope| {
        for writer in 0..4_u8 {
            scope.spawn(move || (0..40_u8).for_each(|at| cache.write(URL, &numbered(writer * 50 + at)).unwrap()));
        }
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| read().count())).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    })
}

#[test]
fn many_threads_of_two_processes_never_read_what_is_half_written() {
    const CHILD: &str = "BROKERTLS_TEST_CACHE";
    if let Some(dir) = std::env::var_os(CHILD) {
        contend(&DiskCache::open(Path::new(&dir)).unwrap());
        return;
    }
    let folder = Folder::new("contended");
    let cache = folder.cache();
    cache.write(URL, &numbered(1)).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["fetch_cache::many_threads_of_two_processes_never_read_what_is_half_written", "--exact"]);
    let child = child.env(CHILD, folder.0.join("cache")).stdout(std::process::Stdio::piped()).spawn().unwrap();
    // Once it is there, it never is not.
    assert_eq!(contend(&cache), 4 * 300);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(folder.files().len(), 1);
}
