//! Definitions as trees, written by a real writer, so that a name or a path
//! with markup in it stays a name or a path.

mod devices;
mod domain;

use std::fmt::Display;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

pub(crate) use devices::SERIAL;
pub(crate) use domain::domain;

/// An element.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Element>,
    text: Option<String>,
}

impl Element {
    /// One with nothing in it.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            children: Vec::new(),
            text: None,
        }
    }

    /// One with a text.
    pub(crate) fn of(name: &'static str, text: impl Display) -> Self {
        let mut element = Self::new(name);
        element.text = Some(plain(&text.to_string()));
        element
    }

    /// With an attribute.
    pub(crate) fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.attributes.push((name, plain(&value.to_string())));
        self
    }

    /// With a child.
    pub(crate) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// With more children.
    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// As text.
    pub(crate) fn write(&self) -> String {
        let mut writer = Writer::new(Vec::new());
        // Writing to memory does not fail.
        self.write_to(&mut writer).ok();
        String::from_utf8_lossy(&writer.into_inner()).into_owned()
    }

    fn write_to(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, value)| (*name, value.as_str()));
        let start = BytesStart::new(self.name).with_attributes(attributes);
        writer.write_event(Event::Start(start))?;
        if let Some(text) = &self.text {
            writer.write_event(Event::Text(BytesText::new(text)))?;
        }
        for child in &self.children {
            child.write_to(writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}

/// Without what no XML document may hold, escaped or not.
fn plain(text: &str) -> String {
    let may = |letter: char| match letter {
        '\t' | '\n' | '\r' => true,
        letter => letter >= ' ' && !matches!(letter, '\u{fffe}' | '\u{ffff}'),
    };
    text.chars()
        .map(|letter| if may(letter) { letter } else { ' ' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_stays_text() {
        let hostile = "</title><devices a='\"'>&amp;\u{0}]]>";
        let text = Element::new("domain")
            .with("name", hostile)
            .child(Element::of("title", hostile))
            .write();
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        let expected = hostile.replace('\u{0}', " ");
        assert_eq!(root.attribute("name"), Some(&*expected));
        let children: Vec<_> = root.children().collect();
        assert_eq!(children.len(), 1);
        assert_eq!(children[0].text(), Some(&*expected));
    }
}
