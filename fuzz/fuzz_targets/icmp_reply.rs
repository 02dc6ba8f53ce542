//! Any bytes as a packet that an ICMP socket has received.
#![no_main]

/// What a forger has to guess, beside the sequence number.
const PROOF: u32 = 0x5afe_c0de;

libfuzzer_sys::fuzz_target!(|packet: &[u8]| {
    if wanctl::probe::fuzzed::icmp_reply(packet, 7, PROOF) {
        let proof = PROOF.to_be_bytes();
        assert!(packet.windows(4).any(|part| part == proof), "a reply without the proof was taken");
    }
});
