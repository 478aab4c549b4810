//! The files: lines to be sent, lines that came, and one with the state of both and of the session.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub struct Store {
    folder: PathBuf,
    out: BufReader<File>,
    /// The next line of `out`, as far as it is there.
    line: Vec<u8>,
    /// How far `out` was taken.
    taken: u64,
    /// Lines that came, and how long they are.
    come: File,
    len: u64,
}

impl Store {
    /// As they were when the state was saved last; and the image of the session, empty at the first time. Makes the folder where it
    /// is not there.
    pub fn open(folder: &Path) -> io::Result<(Self, Vec<u8>)> {
        fs::create_dir_all(folder)?;
        let state = match fs::read(folder.join("state")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => vec![0; 16],
            state => state?,
        };
        let (numbers, image) = state.split_first_chunk::<16>().ok_or(io::ErrorKind::InvalidData)?;
        let numbers = u128::from_be_bytes(*numbers);
        let (taken, len) = ((numbers >> 64) as u64, numbers as u64);
        let mut files = OpenOptions::new();
        let files = files.read(true).append(true).create(true);
        let mut out = BufReader::new(files.open(folder.join("out"))?);
        out.seek(SeekFrom::Start(taken))?;
        // What came after the state was saved is not acknowledged, and comes again.
        let come = files.open(folder.join("in"))?;
        come.set_len(len)?;
        let store = Store { folder: folder.to_owned(), out, line: Vec::new(), taken, come, len };
        Ok((store, image.to_vec()))
    }

    /// The next line, without its end; `None` while it is not there.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        if !self.line.ends_with(b"\n") {
            self.out.read_until(b'\n', &mut self.line)?;
        }
        Ok(self.line.strip_suffix(b"\n"))
    }

    /// It is in the session, to be saved with it.
    pub fn line_is_taken(&mut self) {
        self.taken += self.line.len() as u64;
        self.line.clear();
    }

    pub fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.come.write_all(&[line, b"\n"].concat())?;
        self.len += line.len() as u64 + 1;
        Ok(())
    }

    /// Stores the state, all of it or nothing.
    pub fn save(&mut self, image: &[u8]) -> io::Result<()> {
        self.come.sync_data()?;
        let mut file = File::create(self.folder.join("new"))?;
        file.write_all(&[&self.taken.to_be_bytes(), &self.len.to_be_bytes(), image].concat())?;
        file.sync_all()?;
        fs::rename(self.folder.join("new"), self.folder.join("state"))?;
        File::open(&self.folder)?.sync_all()
    }
}
