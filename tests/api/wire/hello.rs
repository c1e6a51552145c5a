//! ClientHello and ServerHello messages, taken apart and put together again.

/// The extensions of a hello, each with its type.
pub(crate) type Extensions = Vec<(u16, Vec<u8>)>;

const CLIENT_HELLO: u8 = 1;

/// Changes the extensions of the hello that `bytes` starts with, which must be whole in one record.
pub(crate) fn edit(bytes: &mut Vec<u8>, edit: impl FnOnce(&mut Extensions)) {
    let record = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
    let (body, rest) = (bytes[9..record].to_vec(), bytes[record..].to_vec());
    let mut end = 34;
    end += 1 + usize::from(body[end]);
    if bytes[5] == CLIENT_HELLO {
        end += 2 + usize::from(u16::from_be_bytes([body[end], body[end + 1]]));
        end += 1 + usize::from(body[end]);
    } else {
        end += 3;
    }
    let mut extensions = Vec::new();
    let mut left = body.get(end + 2..).unwrap_or_default();
    while let [a, b, c, d, tail @ ..] = left {
        let (content, tail) = tail.split_at(usize::from(u16::from_be_bytes([*c, *d])));
        extensions.push((u16::from_be_bytes([*a, *b]), content.to_vec()));
        left = tail;
    }
    edit(&mut extensions);
    let mut block = Vec::new();
    for (kind, content) in extensions {
        block.extend(kind.to_be_bytes());
        block.extend(with_length(&content));
    }
    let body = [&body[..end], &with_length(&block)].concat();
    let message = [&[bytes[5]], &u32::try_from(body.len()).unwrap().to_be_bytes()[1..], &body].concat();
    let record = [&bytes[..3], &with_length(&message)].concat();
    *bytes = [record, rest].concat();
}

/// The bytes after their length in two bytes.
pub(crate) fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}
