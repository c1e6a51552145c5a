//! A transport in memory, for libraries that read and write through functions.

use std::io::{self, Read, Write};
use std::mem;

/// Both directions of a connection. Buffers are swapped in and out, never copied.
#[derive(Default)]
pub struct Pipe {
    input: Vec<u8>,
    used: usize,
    output: Vec<u8>,
}

impl Pipe {
    /// Takes the bytes that the library shall read, and gives the emptied buffer of the last time.
    pub fn lend(&mut self, input: &mut Vec<u8>) {
        mem::swap(&mut self.input, input);
        self.used = 0;
    }

    /// Gives the buffer of [`Pipe::lend`] back, which must be read to its end.
    pub fn take_back(&mut self, input: &mut Vec<u8>) {
        assert!(self.is_read());
        mem::swap(&mut self.input, input);
        input.clear();
    }

    pub fn is_read(&self) -> bool {
        self.used == self.input.len()
    }

    /// Gives the buffer that the library writes to. A caller swaps its own in and out.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }
}

impl Read for Pipe {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.input[self.used..];
        if rest.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.used += length;
        Ok(length)
    }
}

impl Write for Pipe {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
