//! PEM text to its blocks (RFC 7468, and the headers of RFC 1421 that traditional encrypted keys have).
//!
//! Text before, between and after blocks is allowed, so are a byte-order mark, CRLF and indented blocks. A block that
//! never ends is an error with its line, not a block less. Which label means what is not known here.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::pem_fault::{self, BEGIN, DASHES, END};
use super::{pkcs7, unread};
use crate::certificate::printable;
use crate::error::{Code, Error, Result};

/// The label of a PKCS#12 store, as GnuTLS' certtool writes it.
pub(super) const PKCS12: &str = "PKCS12";

/// Writers exist that leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One `-----BEGIN label-----` block.
pub(super) struct Block {
    pub(super) label: String,
    /// RFC 1421 headers, e.g. `Proc-Type` and `DEK-Info`.
    pub(super) headers: Vec<(String, String)>,
    pub(super) data: Zeroizing<Vec<u8>>,
    /// The line it begins on, from 1.
    pub(super) line: usize,
}

impl Block {
    /// The value of a header, if it is there.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A block without its end so far.
struct Open {
    label: String,
    line: usize,
    headers: Vec<(String, String)>,
    text: Zeroizing<Vec<u8>>,
    in_headers: bool,
}

/// Returns true if a block begins anywhere.
pub(super) fn has_block(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes())
}

/// Returns true for text with a block, and no archive of such texts.
fn is_text(bytes: &[u8]) -> bool {
    has_block(bytes) && unread::archive(bytes).is_none()
}

/// Blocks without their labels, each with the line it begins on.
type Numbered = Vec<(usize, Zeroizing<Vec<u8>>)>;

/// The revocation lists of a PEM text, each with the line of its block; none at all if this is no PEM. A block is one
/// if its label says so, or its content by `is_list`; PKCS#7 has any number.
///
/// # Errors
/// As for [`blocks`]; `CRL_MALFORMED` for damaged PKCS#7 beside lists.
pub(crate) fn lists_of_pem(
    bytes: &[u8],
    is_label: impl Fn(&str) -> bool,
    is_list: impl Fn(&[u8]) -> bool,
) -> Result<Option<Numbered>> {
    if !is_text(bytes) {
        return Ok(None);
    }
    let (mut found, mut fault) = (Vec::new(), None);
    for Block { label, data, line, .. } in blocks(bytes)? {
        if is_label(&label) || is_list(&data) {
            found.push((line, data));
        } else if pkcs7::is_content_info(&data) {
            match pkcs7::read(&data) {
                Ok(carried) => found.extend(carried.lists.into_iter().map(|list| (line, Zeroizing::new(list)))),
                Err(error) if error.code() == Code::StoreMalformed => fault = fault.or(Some((line, error))),
                Err(_) => {}
            }
        }
    }
    match fault {
        // A damaged message may hold a list that revokes. It is not left out in silence beside other lists.
        Some((line, error)) if !found.is_empty() => {
            Err(Error::new(Code::CrlMalformed, format!("line {line}: PKCS#7 that cannot be read: {}", error.detail())))
        }
        _ => Ok(Some(found)),
    }
}

/// The revocation lists of PKCS#7; none if it cannot be read.
pub(crate) fn lists_of_pkcs7(bytes: &[u8]) -> Vec<Vec<u8>> {
    match pkcs7::is_content_info(bytes) {
        true => pkcs7::read(bytes).map(|carried| carried.lists).unwrap_or_default(),
        false => Vec::new(),
    }
}

/// The blocks with a wanted label, each with the line it begins on; none at all if this is no PEM.
///
/// # Errors
/// As for [`blocks`].
pub(crate) fn blocks_of_pem(bytes: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<Option<Numbered>> {
    if !is_text(bytes) {
        return Ok(None);
    }
    let wanted = blocks(bytes)?.into_iter().filter(|block| is_wanted(&block.label));
    Ok(Some(wanted.map(|block| (block.line, block.data)).collect()))
}

/// All blocks of the text, in order.
///
/// # Errors
/// `PEM_MALFORMED` with the line, for a block that does not end, ends with another label or is not base64.
pub(super) fn blocks(bytes: &[u8]) -> Result<Vec<Block>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let separator = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    let mut blocks = Vec::new();
    let mut open: Option<Open> = None;
    // The last line with a BEGIN behind something else.
    let mut stray: Option<(usize, &[u8])> = None;
    let mut offset = 0;
    for (index, line) in bytes.split(|byte| *byte == separator).enumerate() {
        offset += line.len() + 1;
        let (number, line) = (index + 1, line.trim_ascii());
        if line.starts_with(BEGIN.as_bytes()) {
            if let Some(open) = open {
                return Err(unterminated(&open));
            }
            let label = label(line, BEGIN).ok_or_else(|| pem_fault::of_begin(line, number))?;
            let text = Zeroizing::new(Vec::with_capacity(body_bytes(bytes.get(offset..).unwrap_or_default())));
            open = Some(Open { label, line: number, headers: Vec::new(), text, in_headers: true });
        } else if line.starts_with(END.as_bytes()) {
            let label = label(line, END).ok_or_else(|| pem_fault::of_end(line, number))?;
            match open.take() {
                Some(open) if open.label == label => blocks.push(close(open)?),
                Some(open) => {
                    let detail = format!("line {number}: {} begun on line {} ends as {label}", open.label, open.line);
                    return Err(Error::new(Code::PemMalformed, detail));
                }
                None => return Err(pem_fault::of_end_alone(&label, number, stray)),
            }
        } else if let Some(open) = &mut open {
            body_line(open, line, number)?;
        } else if has_block(line) {
            stray = Some((number, line));
        }
    }
    match (open, stray) {
        (Some(open), _) => Err(unterminated(&open)),
        (None, Some((number, line))) if blocks.is_empty() => Err(pem_fault::of_begin_behind(line, number)),
        (None, _) => Ok(blocks),
    }
}

/// Tells whether a text is base64 and white space alone.
pub(super) fn is_base64(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    text.iter().all(|byte| is_digit(byte) || byte.is_ascii_whitespace())
}

/// An upper bound of the block's text, so that it is never moved in memory and left behind unwiped.
fn body_bytes(rest: &[u8]) -> usize {
    rest.windows(END.len()).position(|window| window == END.as_bytes()).unwrap_or(rest.len())
}

fn body_line(open: &mut Open, line: &[u8], number: usize) -> Result<()> {
    if open.in_headers {
        if line.is_empty() {
            open.in_headers = open.headers.is_empty();
            return Ok(());
        }
        let text = std::str::from_utf8(line).unwrap_or_default();
        if let Some((name, value)) = text.split_once(':') {
            open.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            return Ok(());
        }
        open.in_headers = false;
    }
    if line.contains(&b'-') {
        return Err(pem_fault::of_body(line, &open.label, number));
    }
    open.text.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
    Ok(())
}

fn close(open: Open) -> Result<Block> {
    // OpenPGP's armour is not that of RFC 7468: it has a checksum. No such block is used.
    if open.label.starts_with("PGP ") {
        return Ok(Block { label: open.label, headers: Vec::new(), data: Zeroizing::default(), line: open.line });
    }
    let mut data = Zeroizing::new(vec![0; open.text.len().div_ceil(4).saturating_mul(3)]);
    let decoded = BASE64.decode_slice(open.text.as_slice(), &mut data);
    let length = decoded.map_err(|_| {
        Error::new(Code::PemMalformed, format!("line {}: {} is not base64, or cut off", open.line, open.label))
    })?;
    data.truncate(length);
    Ok(Block { label: open.label, headers: open.headers, data, line: open.line })
}

/// The label of a BEGIN or END line, if the line is nothing more.
fn label(line: &[u8], prefix: &str) -> Option<String> {
    let label = line.get(prefix.len()..)?.strip_suffix(DASHES.as_bytes())?;
    let label = std::str::from_utf8(label).ok().filter(|label| !label.contains(DASHES))?;
    Some(printable(label.trim()))
}

fn unterminated(open: &Open) -> Error {
    Error::new(Code::PemMalformed, format!("line {}: {} has no end; the text may be cut off", open.line, open.label))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-----BEGIN CERTIFICATE-----\nAQIDBA==\n-----END CERTIFICATE-----\n";

    fn refused(text: &str) -> String {
        let error = blocks(text.as_bytes()).err().unwrap();
        assert_eq!(error.code(), Code::PemMalformed);
        error.detail().to_owned()
    }

    #[test]
    fn text_around_blocks_marks_and_line_ends_do_not_matter() {
        let text =
            format!("\u{feff}Bag Attributes: x\r\n\r\n{TEXT}between\n  {TEXT}after", TEXT = TEXT.replace('\n', "\r\n"));
        let blocks = blocks(text.as_bytes()).unwrap();
        assert_eq!(blocks.len(), 2);
        assert!(blocks.iter().all(|block| *block.data == [1, 2, 3, 4] && block.label == "CERTIFICATE"));
        assert_eq!(blocks[0].line, 3);
        assert_eq!(super::blocks(TEXT.replace('\n', "\r").as_bytes()).unwrap().len(), 1);
        assert_eq!(super::blocks(format!("\u{feff}{TEXT}").as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn headers_are_told_from_the_body() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAQID\nBA==\n\
                    -----END RSA PRIVATE KEY-----";
        let block = &blocks(text.as_bytes()).unwrap()[0];
        assert_eq!(block.header("DEK-Info"), Some("AES-128-CBC,00"));
        assert_eq!(block.data.len(), 4);
    }

    #[test]
    fn a_block_without_its_end_is_refused_with_its_line() {
        let cut = format!("{TEXT}-----BEGIN CERTIFICATE-----\nAQID\n");
        assert_eq!(refused(&cut), "line 4: CERTIFICATE has no end; the text may be cut off");
        assert_eq!(refused(&cut.replace("AQID\n", TEXT)), "line 4: CERTIFICATE has no end; the text may be cut off");
        assert_eq!(refused("-----END X-----"), "line 1: end of X without its begin");
        assert_eq!(refused("-----BEGIN A-----\n-----END B-----"), "line 2: A begun on line 1 ends as B");
        assert_eq!(refused("-----BEGIN A"), "line 1: -----BEGIN without five dashes at its end");
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        let bad = TEXT.replace("AQIDBA==", "AQ!DBA==");
        assert_eq!(refused(&bad), "line 1: CERTIFICATE is not base64, or cut off");
        assert_eq!(refused(&TEXT.replace("AQIDBA==", "A")), "line 1: CERTIFICATE is not base64, or cut off");
        assert_eq!(blocks(TEXT.replace("==", "").as_bytes()).unwrap()[0].data.len(), 4);
    }
}
