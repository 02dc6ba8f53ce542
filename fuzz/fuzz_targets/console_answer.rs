//! Any text as what a RouterOS console printed.
#![no_main]

libfuzzer_sys::fuzz_target!(|output: &str| wanctl::router::routeros::fuzzed::console_answer(
    output
));
