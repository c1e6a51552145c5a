//! The passwords of the command line that come from standard input or another descriptor.
//!
//! Both are read byte by byte: what follows the line belongs to the next password, or to another program.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::report::Failure;

/// The longest password, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A password in the form that the library takes. `stdin` and `fd:NUMBER` are read here: the next line of each.
///
/// # Errors
/// A descriptor that is not open, an end before the first byte, and a line that is too long or not UTF-8.
pub(crate) fn given(text: &str) -> Result<Zeroizing<String>, Failure> {
    let line = match text {
        "stdin" => line(text, |byte| rustix::io::read(io::stdin(), byte).map_err(io::Error::from))?,
        text => match text.strip_prefix("fd:") {
            Some(number) => of_descriptor(number, text)?,
            None => return Ok(Zeroizing::new(text.to_owned())),
        },
    };
    let line = std::str::from_utf8(&line).map_err(|_| unreadable(text, "the password is not UTF-8"))?;
    let mut given = Zeroizing::new(String::with_capacity(line.len() + "pass:".len()));
    given.push_str("pass:");
    given.push_str(line);
    Ok(given)
}

/// The next line of an open descriptor, through the file that the system has for it. A pipe is the same pipe. A regular
/// file is opened anew, at the place of the descriptor, and stays open for the next password.
fn of_descriptor(number: &str, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    static OPEN: Mutex<Option<HashMap<u32, File>>> = Mutex::new(None);
    let number: u32 = number.parse().map_err(|_| Failure::usage("fd: needs the number of a descriptor"))?;
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let file = match open.get_or_insert_default().entry(number) {
        Entry::Occupied(open) => open.into_mut(),
        Entry::Vacant(vacant) => {
            let file = opened(number).map_err(|error| unreadable(name, &error.to_string()))?;
            vacant.insert(file)
        }
    };
    line(name, |byte| file.read(byte))
}

fn opened(number: u32) -> io::Result<File> {
    let mut file = File::open(format!("/dev/fd/{number}"))?;
    if file.metadata()?.is_file() {
        let facts = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        let position = facts.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse().ok());
        file.seek(SeekFrom::Start(position.unwrap_or(0)))?;
    }
    Ok(file)
}

/// The next line, without its end.
fn line(name: &str, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    let mut byte = [0];
    loop {
        match read(&mut byte) {
            Ok(0) if line.is_empty() => return Err(unreadable(name, "it has no line")),
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            Ok(_) if line.len() == MAX_BYTES => return Err(unreadable(name, "the password is too long")),
            Ok(_) => line.extend_from_slice(&byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error.to_string())),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

fn unreadable(name: &str, what: &str) -> Failure {
    Failure::usage(format!("a password cannot be read from {name}: {what}"))
}
