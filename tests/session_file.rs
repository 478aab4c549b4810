//! `SessionFile`: a session and the application's bytes are stored, all or nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use baremqtt::{Buffers, Client, Config, Connect, Event, Instant, Message, RestoreError, SessionFile};

struct Durable;

impl Config for Durable {
    fn durable(&self) -> bool {
        true
    }
}

type Mqtt = Client<[u8; 128], [u8; 256], Durable>;

fn client() -> Mqtt {
    Client::with_config(Buffers { rx: [0; 128], tx: [0; 256] }, Durable)
}

/// A folder for each test, which is removed after it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("baremqtt-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("session")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The topics of the messages in flight.
fn topics(client: &Mqtt) -> Vec<String> {
    let topic = |one: baremqtt::UnderWay<'_>| match one.request {
        baremqtt::Request::Publish(publish) => publish.topic.to_string(),
        other => panic!("{other:?}"),
    };
    client.under_way().map(topic).collect()
}

fn publish(client: &mut Mqtt, topic: &str) {
    client.publish(&Message::new(topic, b"payload").exactly_once()).unwrap();
}

#[test]
fn a_saved_session_is_restored() {
    let folder = Folder::new("restored");
    let mut first = client();
    let (mut file, data) = SessionFile::open(folder.file(), &mut first).unwrap();
    assert!(data.is_empty() && first.under_way().next().is_none());
    for (topic, data) in [("a", &b"one"[..]), ("b", b""), ("c", &[7; 70_000])] {
        publish(&mut first, topic);
        file.save(&mut first.outbound(), data).unwrap();
        let mut second = client();
        let (_, restored) = SessionFile::open(folder.file(), &mut second).unwrap();
        assert_eq!(restored, data);
        assert_eq!(topics(&second), topics(&first));
    }
    assert_eq!(topics(&first), ["a", "b", "c"]);
}

#[cfg(unix)]
#[test]
fn a_link_and_permissions_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::new("link");
    let (link, target) = (folder.file(), folder.0.join("disk"));
    symlink(target.join("session"), &link).unwrap();
    for path in [&link, &target.join("session")] {
        let missing = SessionFile::open(path, &mut client()).map(|_| ()).map_err(|error| error.kind());
        assert_eq!(missing, Err(ErrorKind::NotFound), "the disk is missing, which is not a new session");
    }
    fs::create_dir(&target).unwrap();
    let mut first = client();
    publish(&mut first, "a");
    SessionFile::open(&link, &mut client()).unwrap().0.save(&mut first.outbound(), b"1").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::symlink_metadata(target.join("session")).unwrap().is_file());
    fs::set_permissions(target.join("session"), PermissionsExt::from_mode(0o600)).unwrap();

    let mut second = client();
    SessionFile::open(&link, &mut second).unwrap().0.save(&mut second.outbound(), b"2").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(SessionFile::open(target.join("session"), &mut client()).unwrap().1, b"2");
    assert_eq!(fs::metadata(&link).unwrap().permissions().mode() & 0o777, 0o600);
}

/// One link leads to another, both relative to their own folders, and the last one to a file that does not exist yet.
#[cfg(unix)]
#[test]
fn links_are_followed_to_a_new_file() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("links");
    fs::create_dir(folder.0.join("disk")).unwrap();
    symlink("disk/current", folder.file()).unwrap();
    symlink("meter-7", folder.0.join("disk/current")).unwrap();
    let mut first = client();
    let (mut file, _) = SessionFile::open(folder.file(), &mut first).unwrap();
    publish(&mut first, "a");
    file.save(&mut first.outbound(), b"1").unwrap();
    assert!(fs::symlink_metadata(folder.0.join("disk/meter-7")).unwrap().is_file());
    assert_eq!(SessionFile::open(folder.file(), &mut client()).unwrap().1, b"1");

    symlink("circle", folder.0.join("circle")).unwrap();
    SessionFile::open(folder.0.join("circle"), &mut client()).unwrap_err();
}

/// The working directory belongs to the process: the other tests here must use absolute paths.
#[test]
fn a_relative_path_is_resolved_once() {
    let folder = Folder::new("relative");
    let before = std::env::current_dir().unwrap();
    std::env::set_current_dir(&folder.0).unwrap();
    for (path, data) in [("session", b"1"), ("./session", b"2")] {
        // The first one is a new file.
        let (mut file, _) = SessionFile::open(path, &mut client()).unwrap();
        std::env::set_current_dir(&before).unwrap();
        file.save(&mut client().outbound(), data).unwrap();
        std::env::set_current_dir(&folder.0).unwrap();
        assert_eq!(SessionFile::open(folder.file(), &mut client()).unwrap().1, data);
    }
    for path in ["", "..", "none/session"] {
        SessionFile::open(path, &mut client()).unwrap_err();
    }
    std::env::set_current_dir(&before).unwrap();
}

#[test]
fn messages_are_sent_once_they_are_saved() {
    let folder = Folder::new("sent");
    let mut client = client();
    let (mut file, _) = SessionFile::open(folder.file(), &mut client).unwrap();
    client.connect(&Connect::new("c").clean_session(false)).unwrap();
    let len = client.pending().len();
    client.sent(len);
    client.receive_buffer()[..4].copy_from_slice(&[0x20, 2, 0, 0]);
    client.received(4);
    publish(&mut client, "a");
    assert_eq!(client.advance(Instant::from_millis(0)), Ok(true));
    assert!(matches!(client.event(), Some(Event::Connected { .. })));
    assert_eq!(client.advance(Instant::from_millis(0)), Ok(true));
    assert_eq!(client.event(), Some(Event::SaveDue));
    assert!(client.pending().is_empty());

    // If it cannot be stored, nothing is sent.
    fs::remove_dir(&folder.0).unwrap();
    assert_eq!(file.save(&mut client.outbound(), &[]).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(client.pending().is_empty());
    fs::create_dir(&folder.0).unwrap();
    file.save(&mut client.outbound(), &[]).unwrap();
    assert!(!client.pending().is_empty());
}

#[test]
fn a_file_left_behind_by_a_crash_is_ignored() {
    let folder = Folder::new("crash");
    let mut first = client();
    let (mut file, _) = SessionFile::open(folder.file(), &mut first).unwrap();
    publish(&mut first, "a");
    file.save(&mut first.outbound(), b"data").unwrap();
    fs::write(folder.0.join("session.new"), "half of a later one").unwrap();
    let mut second = client();
    let (mut file, data) = SessionFile::open(folder.file(), &mut second).unwrap();
    assert_eq!((topics(&second), &data[..]), (vec!["a".to_string()], &b"data"[..]));
    file.save(&mut second.outbound(), b"later").unwrap();
    let (_, data) = SessionFile::open(folder.file(), &mut client()).unwrap();
    assert_eq!(data, b"later");
}

/// Whatever it is: read-only, or a link to something else.
#[cfg(unix)]
#[test]
fn what_was_left_behind_is_not_written_to() {
    let folder = Folder::new("left-behind");
    let other = folder.0.join("other");
    fs::write(&other, "untouched").unwrap();
    std::os::unix::fs::symlink(&other, folder.0.join("session.new")).unwrap();
    let mut client = client();
    let (mut file, _) = SessionFile::open(folder.file(), &mut client).unwrap();
    file.save(&mut client.outbound(), b"data").unwrap();
    assert_eq!(fs::read(&other).unwrap(), b"untouched");
    assert!(fs::symlink_metadata(folder.file()).unwrap().is_file());
}

#[test]
fn a_damaged_file_is_refused() {
    let folder = Folder::new("damaged");
    let mut first = client();
    let (mut file, _) = SessionFile::open(folder.file(), &mut first).unwrap();
    publish(&mut first, "a");
    publish(&mut first, "b");
    file.save(&mut first.outbound(), b"data").unwrap();
    let whole = fs::read(folder.file()).unwrap();
    for len in 0..whole.len() {
        fs::write(folder.file(), &whole[..len]).unwrap();
        let mut second = client();
        let error = SessionFile::open(folder.file(), &mut second).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{len} bytes");
        let source = error.into_inner().unwrap();
        assert_eq!(source.downcast_ref(), Some(&RestoreError::Corrupt), "{len} bytes");
        assert!(topics(&second).is_empty());
    }
    let error = SessionFile::open(&folder.0, &mut client()).unwrap_err();
    assert_ne!(error.kind(), ErrorKind::InvalidData);
}
