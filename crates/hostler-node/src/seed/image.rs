//! A FAT image with some files, in memory.

use std::io::{Cursor, Result, Write as _};

use fatfs::{FileSystem, FormatVolumeOptions, FsOptions, format_volume};

/// Large enough for the largest seed, small enough for thousands.
const SIZE: usize = 1 << 20;

/// The image with these files.
pub(super) fn make(files: &[(&str, String)]) -> Result<Vec<u8>> {
    let mut bytes = vec![0; SIZE];
    let options = FormatVolumeOptions::new()
        .volume_label(*b"CIDATA     ")
        .volume_id(0x4349_4441);
    format_volume(Cursor::new(&mut bytes[..]), options)?;
    {
        let volume = FileSystem::new(Cursor::new(&mut bytes[..]), FsOptions::new())?;
        for (name, text) in files {
            let mut file = volume.root_dir().create_file(name)?;
            file.truncate()?;
            file.write_all(text.as_bytes())?;
            file.flush()?;
        }
        volume.unmount()?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn files_are_found_again_under_the_label_and_alike_each_time() {
        let big = "x".repeat(600 << 10);
        let files = [("meta-data", "a: b\n".to_owned()), ("user-data", big)];
        let image = make(&files).unwrap();
        assert_eq!(image, make(&files).unwrap());
        let volume = FileSystem::new(Cursor::new(image), FsOptions::new()).unwrap();
        assert_eq!(&volume.volume_label_as_bytes()[..6], b"CIDATA");
        let root = volume.read_volume_label_from_root_dir_as_bytes();
        assert_eq!(root.unwrap(), Some(*b"CIDATA     "));
        for (name, text) in files {
            let mut found = String::new();
            let mut file = volume.root_dir().open_file(name).unwrap();
            file.read_to_string(&mut found).unwrap();
            assert_eq!(found, text);
        }
        assert!(make(&[("user-data", "x".repeat(2 << 20))]).is_err());
    }
}
