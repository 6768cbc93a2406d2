//! Screens and serial lines, by their sockets in the file system.

use std::io::Cursor;
use std::path::PathBuf;

use async_trait::async_trait;
use hostler_core::id::VmId;
use hostler_node::hypervisor::machines::helper::Driver;
use hostler_node::hypervisor::machines::{Channel, Disks as _, MachineError};
use image::{ImageFormat, ImageReader, Limits};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::stream::Stream;

use crate::link::told;
use crate::xml::SERIAL;
use crate::{Libvirt, mark};

/// The largest picture that is taken from a screen.
const PICTURE: usize = 64 << 20;

#[async_trait]
impl Driver for Libvirt {
    async fn socket(&self, vm: VmId, channel: Channel) -> Result<PathBuf, MachineError> {
        let owner = self.0.options.owner.clone();
        let serial = self.0.disks.folder(vm).join(SERIAL);
        let path = self.0.link.act(move |connect| {
            let domain = on(connect, vm, &owner)?;
            match channel {
                Channel::Serial => Ok(serial),
                Channel::Vnc => vnc(&domain),
            }
        });
        path.await
    }

    async fn screenshot(&self, vm: VmId) -> Result<Vec<u8>, MachineError> {
        let owner = self.0.options.owner.clone();
        let taken = self.0.link.act(move |connect| {
            let domain = on(connect, vm, &owner)?;
            png(&picture(connect, &domain)?)
        });
        taken.await
    }
}

fn on(connect: &Connect, vm: VmId, owner: &str) -> Result<Domain, MachineError> {
    let off = || MachineError::Refused("the machine is off".to_owned());
    let domain = mark::find(connect, vm, owner)?.ok_or_else(off)?;
    if domain.is_active().map_err(|error| told(&error))? {
        Ok(domain)
    } else {
        Err(off())
    }
}

/// Where libvirt put the socket of the screen.
fn vnc(domain: &Domain) -> Result<PathBuf, MachineError> {
    let text = domain.get_xml_desc(0).map_err(|error| told(&error))?;
    let document = roxmltree::Document::parse(&text);
    let document = document.map_err(|error| MachineError::Failed(error.to_string()))?;
    let mut graphics = document
        .descendants()
        .filter(|node| node.has_tag_name("graphics"));
    let socket = graphics.find_map(|node| node.attribute("socket"));
    let none = || MachineError::Refused("the machine has no screen on a socket".to_owned());
    socket.map(PathBuf::from).ok_or_else(none)
}

fn picture(connect: &Connect, domain: &Domain) -> Result<Vec<u8>, MachineError> {
    let stream = Stream::new(connect, 0).map_err(|error| told(&error))?;
    domain
        .screenshot(&stream, 0, 0)
        .map_err(|error| told(&error))?;
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 256 << 10]);
    loop {
        let count = stream.recv(&mut buffer).map_err(|error| told(&error))?;
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.len() > PICTURE {
            return Err(MachineError::Failed("the picture is too large".into()));
        }
    }
    stream.finish().map_err(|error| told(&error))?;
    Ok(bytes)
}

/// Whatever the hypervisor gave, as PNG.
fn png(picture: &[u8]) -> Result<Vec<u8>, MachineError> {
    let failed = |error: &dyn std::fmt::Display| {
        MachineError::Failed(format!("the picture cannot be read: {error}"))
    };
    let reader = ImageReader::new(Cursor::new(picture)).with_guessed_format();
    let mut reader = reader.map_err(|error| failed(&error))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(4 * PICTURE as u64);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| failed(&error))?;
    let mut png = Cursor::new(Vec::new());
    image
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| failed(&error))?;
    Ok(png.into_inner())
}
