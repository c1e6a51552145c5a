//! Finds the end of a serialized Java object, and makes nothing of it.
//!
//! JCEKS keeps secret keys so, without a length; what follows them can only be read by going through. The grammar is
//! chapter 6 of the Java Object Serialization Specification. Depth is limited, and everything takes bytes.

use super::reader::Reader;
use crate::error::{Code, Error, Result};

const STREAM_HEADER: [u8; 4] = [0xac, 0xed, 0x00, 0x05];
const TC_NULL: u8 = 0x70;
const TC_REFERENCE: u8 = 0x71;
const TC_CLASSDESC: u8 = 0x72;
const TC_OBJECT: u8 = 0x73;
const TC_STRING: u8 = 0x74;
const TC_ARRAY: u8 = 0x75;
const TC_CLASS: u8 = 0x76;
const TC_BLOCKDATA: u8 = 0x77;
const TC_ENDBLOCKDATA: u8 = 0x78;
const TC_ENUM: u8 = 0x7e;
const SC_WRITE_METHOD: u8 = 0x01;
const SC_SERIALIZABLE: u8 = 0x02;
const BASE_HANDLE: u32 = 0x7e_0000;

/// Deepest nesting of objects and of classes; a sealed key needs three.
const MAX_DEPTH: usize = 16;
/// Most objects and classes; a sealed key has about ten.
const MAX_HANDLES: usize = 1_000;

/// Returns the number of bytes of the stream header and the object behind it.
///
/// # Errors
/// `STORE_MALFORMED` if it is truncated, over the limits, or not a part of a sealed key.
pub(super) fn length(bytes: &[u8]) -> Result<usize> {
    let mut stream = Stream { reader: Reader::new(bytes), handles: Vec::new() };
    if stream.reader.bytes(STREAM_HEADER.len(), "serialized object")? != STREAM_HEADER {
        return Err(malformed("no serialized Java object"));
    }
    stream.content(0)?;
    Ok(bytes.len() - stream.reader.rest.len())
}

fn malformed(what: &str) -> Error {
    Error::new(Code::StoreMalformed, format!("secret key: {what}"))
}

struct Stream<'a> {
    reader: Reader<'a>,
    /// The objects that later parts may refer to, in order. Only classes matter.
    handles: Vec<Option<Class>>,
}

#[derive(Clone, Default)]
struct Class {
    flags: u8,
    /// The type codes of its fields, in order.
    fields: Vec<u8>,
    superclass: Option<usize>,
    /// The type code of the elements, of an array's class.
    element: Option<u8>,
}

impl Stream<'_> {
    /// One object, string, array or nothing.
    fn content(&mut self, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(malformed("objects nested too deep"));
        }
        match self.reader.u8("serialized object")? {
            TC_NULL => Ok(()),
            TC_REFERENCE => self.reader.u32("reference").map(drop),
            TC_STRING => {
                self.handle(None)?;
                self.reader.text("string").map(drop)
            }
            TC_CLASSDESC => self.described_class(depth).map(drop),
            TC_CLASS => {
                self.class(depth)?;
                self.handle(None).map(drop)
            }
            TC_ENUM => {
                self.class(depth)?;
                self.handle(None)?;
                self.content(depth + 1)
            }
            TC_ARRAY => self.array(depth),
            TC_OBJECT => self.object(depth),
            other => Err(malformed(&format!("a part of kind {other:#04x}"))),
        }
    }

    fn handle(&mut self, class: Option<Class>) -> Result<usize> {
        if self.handles.len() >= MAX_HANDLES {
            return Err(malformed("too many objects"));
        }
        self.handles.push(class);
        Ok(self.handles.len() - 1)
    }

    /// A class description or a reference to one; `None` for no class.
    fn class(&mut self, depth: usize) -> Result<Option<usize>> {
        match self.reader.u8("class")? {
            TC_NULL => Ok(None),
            TC_CLASSDESC => self.described_class(depth + 1).map(Some),
            TC_REFERENCE => {
                let handle = self.reader.u32("reference to a class")?.checked_sub(BASE_HANDLE);
                let index = handle.and_then(|handle| usize::try_from(handle).ok());
                let known = index.filter(|index| matches!(self.handles.get(*index), Some(Some(_))));
                known.map(Some).ok_or_else(|| malformed("a reference to no class"))
            }
            other => Err(malformed(&format!("a class of kind {other:#04x}"))),
        }
    }

    fn described_class(&mut self, depth: usize) -> Result<usize> {
        if depth > MAX_DEPTH {
            return Err(malformed("classes nested too deep"));
        }
        let name = self.reader.text("name of a class")?;
        self.reader.bytes(8, "version of a class")?;
        let element = name.strip_prefix('[').and_then(|rest| rest.bytes().next());
        let index = self.handle(Some(Class { element, ..Class::default() }))?;
        let mut class = Class { element, flags: self.reader.u8("flags of a class")?, ..Class::default() };
        for _ in 0..self.reader.u16("number of fields")? {
            let code = self.reader.u8("type of a field")?;
            self.reader.text("name of a field")?;
            if matches!(code, b'[' | b'L') {
                self.content(depth + 1)?;
            }
            class.fields.push(code);
        }
        self.annotation(depth)?;
        class.superclass = self.class(depth)?;
        if let Some(slot) = self.handles.get_mut(index) {
            *slot = Some(class);
        }
        Ok(index)
    }

    /// The data that the writer of a class added, up to its end.
    fn annotation(&mut self, depth: usize) -> Result<()> {
        loop {
            match self.reader.rest.first() {
                Some(&TC_ENDBLOCKDATA) => return self.reader.u8("end").map(drop),
                Some(&TC_BLOCKDATA) => {
                    self.reader.u8("block")?;
                    let length = self.reader.u8("length of a block")?;
                    self.reader.bytes(usize::from(length), "block")?;
                }
                _ => self.content(depth + 1)?,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<()> {
        let class = self.class(depth)?;
        self.handle(None)?;
        let mut line = Vec::new();
        let mut next = class;
        while let Some(index) = next {
            let class = self.handles.get(index).cloned().flatten().unwrap_or_default();
            next = class.superclass;
            line.push(class);
            if line.len() > MAX_DEPTH {
                return Err(malformed("a class with too many above it"));
            }
        }
        for class in line.iter().rev() {
            if class.flags & SC_SERIALIZABLE == 0 {
                return Err(malformed("an object that writes itself"));
            }
            for code in &class.fields {
                self.value(*code, depth)?;
            }
            if class.flags & SC_WRITE_METHOD != 0 {
                self.annotation(depth)?;
            }
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<()> {
        let class = self.class(depth)?.and_then(|index| self.handles.get(index).cloned().flatten());
        let element = class.and_then(|class| class.element).ok_or_else(|| malformed("an array of no type"))?;
        self.handle(None)?;
        if element == b'B' {
            return self.reader.sized("array").map(drop);
        }
        for _ in 0..self.reader.u32("length of an array")? {
            self.value(element, depth)?;
        }
        Ok(())
    }

    /// The value of a field or an element, by its type code.
    fn value(&mut self, code: u8, depth: usize) -> Result<()> {
        let bytes = match code {
            b'B' | b'Z' => 1,
            b'C' | b'S' => 2,
            b'I' | b'F' => 4,
            b'J' | b'D' => 8,
            b'[' | b'L' => return self.content(depth + 1),
            other => return Err(malformed(&format!("a field of type {other:#04x}"))),
        };
        self.reader.bytes(bytes, "value").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A class of one name without a superclass, with this flag byte, fields and annotation.
    fn class(name: &[u8], rest: &[u8]) -> Vec<u8> {
        [&[TC_CLASSDESC, 0, name.len() as u8], name, &[0; 8], rest, &[TC_ENDBLOCKDATA, TC_NULL]].concat()
    }

    fn of(object: &[u8]) -> Result<usize, String> {
        length(&[&STREAM_HEADER, object].concat()).map_err(|error| {
            assert_eq!(error.code(), Code::StoreMalformed);
            error.detail().to_owned()
        })
    }

    #[test]
    fn the_end_of_an_object_is_found_and_what_follows_is_left() {
        let fields =
            [&[SC_SERIALIZABLE, 0, 2, b'I', 0, 1, b'i', b'[', 0, 1, b'b', TC_STRING, 0, 2, b'[', b'B'][..]].concat();
        let bytes = [&class(b"[B", &[SC_SERIALIZABLE, 0, 0])[..], &[0, 0, 0, 2, 9, 9]].concat();
        let object = [&[TC_OBJECT][..], &class(b"K", &fields), &[1, 2, 3, 4, TC_ARRAY], &bytes].concat();
        assert_eq!(of(&object), Ok(4 + object.len()));
        assert_eq!(of(&[&object[..], b"more"].concat()), Ok(4 + object.len()));
        for end in 0..object.len() {
            assert!(of(&object[..end]).is_err());
        }
    }

    #[test]
    fn hostile_objects_are_refused() {
        let nested = [TC_OBJECT]
            .iter()
            .copied()
            .chain(class(b"K", &[SC_SERIALIZABLE, 0, 1, b'L', 0, 0, TC_NULL]))
            .collect::<Vec<_>>();
        assert_eq!(of(&nested.repeat(100)).unwrap_err(), "secret key: objects nested too deep");
        let array = [&[TC_ARRAY][..], &class(b"[B", &[SC_SERIALIZABLE, 0, 0]), &[0xff; 4]].concat();
        assert_eq!(of(&array).unwrap_err(), "array of 4294967295 bytes, 0 are left");
        let itself =
            [&[TC_OBJECT, TC_CLASSDESC, 0, 1, b'K'][..], &[0; 8], &[SC_SERIALIZABLE, 0, 0, TC_ENDBLOCKDATA]].concat();
        let itself = [&itself[..], &[TC_REFERENCE, 0, 0x7e, 0, 0]].concat();
        assert_eq!(of(&itself).unwrap_err(), "secret key: a class with too many above it");
        assert_eq!(of(&[TC_REFERENCE]).unwrap_err(), "reference of 4 bytes, 0 are left");
        assert_eq!(of(&[0x7b]).unwrap_err(), "secret key: a part of kind 0x7b");
        assert!(length(b"\xac\xed\0\x04p").is_err());
    }
}
