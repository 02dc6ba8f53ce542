//! Many texts that grow side by side and are read one after the other: small buffers in memory,
//! the rest in one file without a name, which ends with the process.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write},
    mem,
};

/// How much of each text is held in memory.
const BUFFER: usize = 16 * 1024;

/// The texts, by their number.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    end: u64,
    texts: Vec<Text>,
}

#[derive(Debug, Clone, Default)]
struct Text {
    buffer: Vec<u8>,
    /// Where its pieces lie in the file: offset and length.
    pieces: Vec<(u64, usize)>,
}

impl Spool {
    /// Begins so many empty texts.
    pub(super) fn new(texts: usize) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, end: 0, texts: vec![Text::default(); texts] })
    }

    /// Appends to the text with this number.
    pub(super) fn add(&mut self, number: usize, bytes: &[u8]) -> io::Result<()> {
        let text = &mut self.texts[number];
        text.buffer.extend_from_slice(bytes);
        if text.buffer.len() < BUFFER {
            return Ok(());
        }
        let piece = mem::take(&mut text.buffer);
        text.pieces.push((self.end, piece.len()));
        self.file.write_all(&piece)?;
        self.end += piece.len() as u64;
        Ok(())
    }

    pub(super) fn is_empty(&self, number: usize) -> bool {
        let Text { buffer, pieces } = &self.texts[number];
        buffer.is_empty() && pieces.is_empty()
    }

    /// Copies the text with this number. Nothing can be added after that.
    pub(super) fn copy(&mut self, number: usize, out: &mut dyn Write) -> io::Result<()> {
        let Text { buffer, pieces } = mem::take(&mut self.texts[number]);
        for (offset, length) in pieces {
            let mut piece = vec![0; length];
            self.file.seek(SeekFrom::Start(offset))?;
            self.file.read_exact(&mut piece)?;
            out.write_all(&piece)?;
        }
        out.write_all(&buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_grow_side_by_side_are_read_apart() {
        let mut spool = Spool::new(3).unwrap();
        let mut whole = [String::new(), String::new()];
        for line in 0..5000 {
            for (number, text) in whole.iter_mut().enumerate() {
                let line = format!("{number}: {line}\n");
                spool.add(number, line.as_bytes()).unwrap();
                text.push_str(&line);
            }
        }
        assert!(spool.is_empty(2) && !spool.is_empty(0) && spool.end > 0);
        for number in [1, 0] {
            let mut read = Vec::new();
            spool.copy(number, &mut read).unwrap();
            assert_eq!(String::from_utf8(read).unwrap(), whole[number]);
        }
    }
}
