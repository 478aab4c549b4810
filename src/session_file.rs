//! A session in a file.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::vec::Vec;

use crate::{Client, Config, Outbound, RestoreError, SaveError};

/// A file that keeps a session across a restart, together with a few bytes of the application. Both are stored atomically.
///
/// With [`Config::durable`], and if it is saved at each [`Event::SaveDue`](crate::Event::SaveDue), the session is exact, whenever the program
/// is killed or the power fails: no message is lost, and at QoS 2 none arrives twice. The bytes of the application, for instance how far it
/// has read its own input, always match the session: they are never older or newer.
///
/// Without [`Config::durable`] that event is never reported: save whenever [`revision`](Client::revision) has changed, which is less exact
/// (see [`Client::save`]).
///
/// ```no_run
/// use std::time::Duration;
///
/// use baremqtt::transport::net::Connection;
/// use baremqtt::{Buffers, Client, Config, Connect, Event, SessionFile};
///
/// struct Durable;
///
/// impl Config for Durable {
///     fn durable(&self) -> bool {
///         true
///     }
/// }
///
/// let mut client = Client::with_config(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] }, Durable);
/// let (mut session, _) = SessionFile::open("meter-7.session", &mut client)?;
/// let mut mqtt = Connection::tcp(("localhost", 1883), Duration::from_secs(5), client)?;
/// mqtt.connect(&Connect::new("meter-7").clean_session(false).keep_alive(30))?;
/// loop {
///     match mqtt.next_event(None)? {
///         Some(Event::SaveDue) => session.save(&mut mqtt.outbound(), &[])?,
///         Some(Event::Message(message)) => println!("{}", message.topic),
///         _ => {}
///     }
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Only one program at a time may use the file. A new version is first written to a second file, with `.new` appended to the name, which
/// then replaces the first. If the path is a symbolic link, this happens where it leads, and it remains a link.
#[derive(Debug)]
pub struct SessionFile {
    /// As `resolve` returns it.
    path: PathBuf,
}

impl SessionFile {
    /// Restores the session from the file into a new client, and returns the application's bytes. If there is no file
    /// yet, the client is unchanged, and there are no bytes. Saving keeps the permissions of the file, because it contains the
    /// payloads of queued messages; a new one, on Unix, can be read by its owner alone. A relative path is resolved here: if the working directory changes later, the file is still the same.
    ///
    /// # Errors
    /// Any error of reading the file; [`NotFound`](io::ErrorKind::NotFound) if the folder of a new file does not exist (perhaps its disk is
    /// missing); [`InvalidData`](io::ErrorKind::InvalidData), containing a [`RestoreError`], if
    /// [`Client::restore`] refuses the content of the file.
    pub fn open<R, T, C, I>(
        path: impl Into<PathBuf>,
        client: &mut Client<R, T, C, I>,
    ) -> io::Result<(Self, Vec<u8>)>
    where
        R: AsRef<[u8]> + AsMut<[u8]>,
        T: AsRef<[u8]> + AsMut<[u8]>,
        C: Config,
        I: AsRef<[u8]> + AsMut<[u8]>,
    {
        let file = SessionFile { path: resolve(&path.into())? };
        let bytes = match fs::read(&file.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((file, Vec::new())),
            Err(error) => return Err(error),
        };
        let (data, image) = split(&bytes).ok_or(RestoreError::Corrupt).map_err(invalid)?;
        client.restore(image).map_err(invalid)?;
        Ok((file, data.to_vec()))
    }

    /// Stores the session and these bytes of the application. Once they are on disk, this is confirmed to the client
    /// ([`Client::saved`]).
    ///
    /// # Errors
    /// Any error of writing the file. The file is then unchanged, or has the new content; packets that wait for the session to be saved are
    /// still held back. Call this again: [`Event::SaveDue`](crate::Event::SaveDue) is not repeated.
    pub fn save<C: Config>(&mut self, outbound: &mut Outbound<'_, C>, data: &[u8]) -> io::Result<()> {
        let mut image = Vec::new();
        while let Err(error) = outbound.save(&mut image) {
            let SaveError::BufferTooSmall { needed } = error;
            image.resize(needed, 0);
        }
        let len = u32::try_from(data.len()).map_err(io::Error::other)?;
        self.replace(&[&len.to_be_bytes(), data, &image])?;
        outbound.saved(outbound.revision());
        Ok(())
    }

    /// Replaces the content of the file by these bytes.
    fn replace(&self, parts: &[&[u8]]) -> io::Result<()> {
        let mut name = OsString::from(&self.path);
        name.push(".new");
        // One that was left behind may be read-only.
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut new = create(name.as_ref())?;
        if let Ok(old) = fs::metadata(&self.path) {
            new.set_permissions(old.permissions())?;
        }
        for part in parts {
            new.write_all(part)?;
        }
        new.sync_all()?;
        fs::rename(&name, &self.path)?;
        sync_folder(&self.path)
    }
}

/// Where the file is, or will be: then its folder must exist. The result is absolute, and has no links in it.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            if let Ok(target) = fs::read_link(path) {
                return resolve(&folder.join(target));
            }
            let name = path.file_name().ok_or(error)?;
            Ok(fs::canonicalize(folder)?.join(name))
        }
        result => result,
    }
}

/// The application's bytes and the image.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*len).try_into().ok()?)
}

fn invalid(error: RestoreError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// A new file, which on Unix nobody else can read.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path)
}

/// A renamed file is safely on disk only once its folder is. (Outside Unix, a folder cannot be opened.)
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
