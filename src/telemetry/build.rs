//! What was built.

use crate::catalogue::{Catalogue, Spec};

/// Declares the info of the build.
pub fn declare_build(catalogue: &mut Catalogue) {
    let spec = Spec::new("wanctl_build_info", "Version and platform of this build")
        .by(&["version", "target", "os"]);
    catalogue.info(spec, || {
        let values = [env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS];
        Some(values.map(str::to_owned).to_vec())
    });
}
