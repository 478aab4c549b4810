//! The disk of the application: images are made, written, and confirmed, and a restart begins with the one that was written last.

use std::rc::Rc;

use baremqtt::State;

use super::steps::Step;
use super::{World, new_client};
use crate::app::App;
use crate::rules::Feature;

/// What is written in one go: the session, and what the application stores with it.
#[derive(Clone)]
pub struct Image {
    session: Vec<u8>,
    pub(super) app: App,
    /// The broker has lost the session, and the image does not say so.
    is_mistaken: bool,
}

impl Image {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.key(&mut bytes);
        bytes
    }

    /// The number of entries follows 4 bytes that identify the format, 1 for a clean session, and 2 with an identifier.
    pub(super) fn holds_no_inbound_ids(&self) -> bool {
        self.session[7..9] == [0, 0]
    }

    pub(super) fn key(&self, key: &mut Vec<u8>) {
        key.push(self.session.len() as u8);
        key.extend(&self.session);
        key.push(u8::from(self.is_mistaken));
        self.app.key(State::Offline, key);
    }
}

impl World {
    pub(super) fn saves(&mut self) -> Step {
        let is_due = std::mem::take(&mut self.app.is_save_due);
        if self.has(Feature::Saves) {
            if self.prepared.len() == 2 {
                return Ok(false);
            }
        } else if is_due {
            // The image that is being written would not be enough.
            self.prepared.clear();
            self.written = None;
        } else {
            return Ok(false);
        }
        let image = Rc::new(self.image()?);
        let revision = self.client.revision();
        let last = self.prepared.back().map(|(image, _)| image).or(self.disk.as_ref());
        if !is_due
            && revision == self.saved_revision
            && last.is_some_and(|last| last.bytes() == image.bytes())
        {
            return Ok(false);
        }
        self.saved_revision = revision;
        self.prepared.push_back((image, revision));
        Ok(true)
    }

    /// The session as it is now, for the disk.
    pub(super) fn image(&mut self) -> Result<Image, String> {
        let mut session = vec![0; 256];
        let len = self.client.save(&mut session).map_err(|error| format!("save: {error}"))?;
        session.truncate(len);
        Ok(Image { session, app: self.app.for_image(self.rules), is_mistaken: self.broker.is_mistaken })
    }

    pub(super) fn images(&self) -> impl Iterator<Item = &Image> {
        self.disk.iter().chain(self.prepared.iter().map(|(image, _)| image)).map(|image| &**image)
    }

    /// The messages that have not ended in some image.
    pub(super) fn open_in_images(&self) -> u16 {
        self.images().fold(0, |open, image| open | image.app.open())
    }

    /// All images are from before the loss of the session. One of a clean session says that itself.
    pub(super) fn outdates_images(&mut self) {
        let images = self.disk.iter_mut().chain(self.prepared.iter_mut().map(|(image, _)| image));
        for image in images.filter(|image| !image.app.is_clean && !image.is_mistaken) {
            Rc::make_mut(image).is_mistaken = true;
        }
    }

    pub(super) fn writes(&mut self) -> bool {
        let Some((image, revision)) = self.prepared.pop_front() else { return false };
        self.disk = Some(image);
        self.written = Some(revision);
        true
    }

    pub(super) fn tells_saved(&mut self) -> bool {
        let Some(revision) = self.written.take() else { return false };
        self.client.saved(revision);
        true
    }

    pub(super) fn crashes(&mut self) -> Step {
        let is_mistaken = self.disk.as_ref().is_some_and(|image| image.is_mistaken);
        if is_mistaken && self.has(Feature::Mixed) && self.has(Feature::Mqtt31) {
            // It could not know that there is another session now, or none.
            return Ok(false);
        }
        self.link_closed();
        self.client = new_client(self.rules);
        let before = std::mem::take(&mut self.app);
        self.prepared.clear();
        self.written = None;
        if let Some(image) = &self.disk {
            let Image { session, app, .. } = &**image;
            self.client.restore(session).map_err(|error| format!("restore: {error}"))?;
            self.app = app.clone();
        }
        self.saved_revision = self.client.revision();
        self.app.restarts(&before, self.rules);
        self.broker.is_mistaken = is_mistaken;
        if is_mistaken {
            // The image takes the new session for the old one.
            self.session_lost();
        }
        self.broker.given_up = self.app.given_up_ids();
        Ok(true)
    }
}
