//! Any text as the configuration file.
#![no_main]

use std::{io, path::Path};

use wanctl::config::{Config, FileText, Environment};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let surroundings = Environment {
        file: &|_| Ok(FileText { text: "swordfish".to_owned(), is_exposed: false }),
        check_file: &|path| {
            let is_absent = path == Path::new("absent");
            if is_absent { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
        },
        variable: &|_| Some("swordfish".to_owned()),
    };
    match Config::parse(text, Path::new("fuzzed.yaml"), &surroundings) {
        // What was read is what it is by a second reading.
        Ok((config, _)) => {
            let (again, warnings) = Config::parse(text, Path::new("fuzzed.yaml"), &surroundings)
                .expect("the same text is as right the second time");
            let (_, changes) = config.adopt(again);
            assert!(changes.is_empty(), "{changes:?}");
            assert!(warnings.iter().all(|warning| !warning.message.contains("swordfish")));
        }
        Err(errors) => {
            assert!(!errors.problems().is_empty());
            for problem in errors.problems() {
                assert!(!problem.message.is_empty() && !problem.message.contains('\n'));
                let is_reported = text.contains("swordfish");
                assert!(is_reported || !problem.message.contains("swordfish"));
            }
        }
    }
});
