//! Any bytes as the body of a REST answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| wanctl::router::routeros::fuzzed::rest_answer(body));
