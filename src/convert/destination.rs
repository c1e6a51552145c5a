//! The file that a conversion writes: new, readable by its owner alone, and put in place whole.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Code, Error, Result};
use crate::random;

/// The mode of a new file: only its owner reads and writes it.
const MODE: u32 = 0o600;

/// Refuses a place that nothing may be written to.
///
/// # Errors
/// `FILE_UNWRITABLE` for a file that is there and must not be replaced, for a symbolic link and for what is no file.
pub(super) fn check(path: &Path, overwrites: bool) -> Result<()> {
    let refuse = |what: &str, hint: &str| Err(unwritable(path, what).with_hint(hint));
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => {
            refuse("it is a symbolic link", "Name the file that the link leads to, or remove the link.")
        }
        Ok(found) if !found.is_file() => refuse("it is not a regular file", "Name a new file."),
        Ok(_) if !overwrites => refuse("it is there already", "Name a new file, or set the option force."),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.file_name().is_some() => Ok(()),
        Err(error) => Err(unwritable(path, &error.to_string())),
    }
}

/// Writes a file whole or not at all: under a temporary name in the same folder first.
///
/// Without `overwrites`, the file gets its name as a second link, which fails if another program has made the file
/// meanwhile. With it, the temporary file takes the place of the old one in one step. Returns warnings.
///
/// # Errors
/// As for [`check`], and for a failure of the system. A temporary file that cannot be removed then is named.
pub(super) fn write(path: &Path, content: &[u8], overwrites: bool) -> Result<Vec<String>> {
    check(path, overwrites)?;
    let mut warnings: Vec<String> = wider_mode(path).into_iter().collect();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let failed = |error: io::Error| unwritable(path, &error.to_string());
    let (temporary, mut file) = create(folder, path).map_err(failed)?;
    // Whatever the mask of the process takes away.
    let readable = file.set_permissions(Permissions::from_mode(MODE));
    let stranger = other_owner(path, &file).filter(|_| overwrites);
    let is_own = match stranger {
        Some(user) => Err(io::Error::other(format!("it belongs to another user ({user})"))),
        None => Ok(()),
    };
    let written = is_own.and(readable).and_then(|()| file.write_all(content)).and_then(|()| file.sync_all());
    let placed = written.and_then(|()| match overwrites {
        true => fs::rename(&temporary, path),
        false => fs::hard_link(&temporary, path),
    });
    let left = match placed.is_err() || !overwrites {
        true => fs::remove_file(&temporary).err(),
        false => None,
    };
    let left = left.map(|error| format!("the file {} is left behind, remove it: {error}", temporary.display()));
    match placed {
        Ok(()) => {
            warnings.extend(left);
            // The name survives a crash. A file system that cannot do this has its own promises.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
            Ok(warnings)
        }
        Err(error) => {
            if let Some(left) = left {
                return Err(unwritable(path, &format!("{error}; {left}")));
            }
            if error.kind() == io::ErrorKind::AlreadyExists {
                check(path, overwrites)?;
            }
            let is_link = !overwrites && matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP));
            let hint = match () {
                () if is_link => "If the file system has no hard links, set the option force.",
                () if stranger.is_some() => "Remove it, or run as its user: a new file belongs to the user that runs.",
                () => return Err(failed(error)),
            };
            Err(failed(error).with_hint(hint))
        }
    }
}

/// The user of the file that is replaced, if it is another one than that of the new file. The programs of that user
/// could not read the new file.
fn other_owner(path: &Path, new: &File) -> Option<u32> {
    let (old, new) = (path.symlink_metadata().ok()?.uid(), new.metadata().ok()?.uid());
    (old != new).then_some(old)
}

/// A warning if others can read the file that is replaced: they cannot read the new one.
fn wider_mode(path: &Path) -> Option<String> {
    let mode = path.symlink_metadata().ok()?.permissions().mode() & 0o777;
    let is_wider = mode & 0o077 != 0;
    is_wider.then(|| format!("{}: only its owner can read it now; its mode was {mode:04o}", path.display()))
}

/// Creates the temporary file, with a name that no other has.
fn create(folder: &Path, path: &Path) -> io::Result<(PathBuf, File)> {
    let mut random = [0; 16];
    random::fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
    let mark: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    // Long names keep room for the mark.
    let name = match name.len() {
        0..=200 => name,
        _ => std::ffi::OsString::from(".brokertls"),
    };
    let mut name = name;
    name.push(format!(".{mark}.new"));
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options.mode(MODE);
    let file = options.open(&path)?;
    Ok((path, file))
}

fn unwritable(path: &Path, what: &str) -> Error {
    Error::new(Code::FileUnwritable, what).at(path.display())
}
