//! The manual: the pages of `docs/`, about the library as a whole, for readers of the C API as well as the Rust API.
//!
//! Only text stands here; the reference of each function is with the function.

/// Renders a page of `docs/` as a module.
///
/// A page links to others by reference, `[threads][threading]`, and defines each reference as a file beside it. The
/// definitions here come before those of the page and take precedence, so that the links of rustdoc lead to modules.
macro_rules! page {
    ($name:ident, $file:literal) => {
        #[doc = "[architecture]: crate::manual::architecture"]
        #[doc = "[connections]: crate::manual::connections"]
        #[doc = "[convert]: crate::manual::convert"]
        #[doc = "[howto]: crate::manual::howto"]
        #[doc = "[legacy]: crate::manual::legacy"]
        #[doc = "[options]: crate::manual::options"]
        #[doc = "[peers]: crate::manual::peers"]
        #[doc = "[performance]: crate::manual::performance"]
        #[doc = "[psk]: crate::manual::psk"]
        #[doc = "[bridge]: crate::manual::bridge"]
        #[doc = "[revocation]: crate::manual::revocation"]
        #[doc = "[sessions]: crate::manual::sessions"]
        #[doc = "[stacks]: crate::manual::stacks"]
        #[doc = "[threading]: crate::manual::threading"]
        #[doc = "[users]: crate::manual::users"]
        #[doc = "[verification]: crate::manual::verification"]
        #[doc = ""]
        #[doc = include_str!($file)]
        pub mod $name {}
    };
}

page!(howto, "../docs/howto.md");
page!(connections, "../docs/connections.md");
page!(options, "../docs/options.md");
page!(verification, "../docs/verification.md");
page!(revocation, "../docs/revocation.md");
page!(sessions, "../docs/sessions.md");
page!(legacy, "../docs/legacy.md");
page!(psk, "../docs/psk.md");
page!(bridge, "../docs/bridge.md");
page!(convert, "../docs/convert.md");
page!(stacks, "../docs/stacks.md");
page!(threading, "../docs/threading.md");
page!(users, "../docs/users.md");
page!(performance, "../docs/performance.md");
page!(peers, "../docs/peers.md");
page!(architecture, "../docs/architecture.md");
