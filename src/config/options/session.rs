//! The options of resumption.

use crate::config::ContextBuilder;
use crate::error::Result;
use crate::verify::AskAgain;

use super::value;

pub(super) fn resumption(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.resumption(value::switch(text)?);
    Ok(())
}

pub(super) fn max_age_s(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.session_max_age_s(value::number(text)?).map(|_| ())
}

pub(super) fn asks_again(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.resumption_asks_again(match text.to_ascii_lowercase().as_str() {
        "managers" => AskAgain::Managers,
        text => match value::switch(text) {
            Ok(true) => AskAgain::Callback,
            Ok(false) => AskAgain::Nobody,
            Err(_) => return Err(value::refuse(text, "yes, no or managers")),
        },
    });
    Ok(())
}

pub(super) fn tls13_tickets(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.tls13_tickets(value::number(text)?).map(|_| ())
}

pub(super) fn max_ticket_bytes(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.max_ticket_bytes(value::number(text)?).map(|_| ())
}

pub(super) fn cache(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.session_cache(value::number(text)?).map(|_| ())
}
