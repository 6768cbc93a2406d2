//! A part of a file, so that a download that broke off goes on where it was.
//! One range of bytes is answered; of anything else the whole is, as HTTP
//! allows.

use std::io::SeekFrom;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// Bytes of one read.
const PIECE: usize = 64 << 10;

/// The first and last byte that are asked for; `None` is the whole, an error
/// that they lie outside.
pub(super) fn asked(headers: &HeaderMap, whole: u64) -> Result<Option<(u64, u64)>, ()> {
    let range = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let bounds = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = bounds else {
        return Ok(None);
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let end = whole.saturating_sub(1);
    let part = match (number(first), number(last), first.trim(), last.trim()) {
        (Some(first), Some(last), ..) if first <= last => (first, last.min(end)),
        (Some(first), None, _, "") => (first, end),
        (None, Some(tail), "", _) if tail > 0 => (whole.saturating_sub(tail), end),
        _ => return Ok(None),
    };
    if part.0 < whole {
        Ok(Some(part))
    } else {
        Err(())
    }
}

/// The answer with this part of a file, or with all of it.
pub(super) async fn answer(
    mut file: File,
    part: Option<(u64, u64)>,
    whole: u64,
) -> std::io::Result<Response> {
    let (first, last) = part.unwrap_or((0, whole.saturating_sub(1)));
    let length = if whole == 0 { 0 } else { last - first + 1 };
    file.seek(SeekFrom::Start(first)).await?;
    let body = ReaderStream::with_capacity(file.take(length), PIECE);
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ];
    let mut answer = (headers, Body::from_stream(body)).into_response();
    if part.is_some() {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let text = format!("bytes {first}-{last}/{whole}");
        let value = text.parse().map_err(std::io::Error::other)?;
        answer.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_read_and_anything_else_is_the_whole() {
        let check = |text: &str, expected| {
            let headers = HeaderMap::from_iter([(header::RANGE, text.parse().unwrap())]);
            assert_eq!(asked(&headers, 100), expected, "{text}");
        };
        check("bytes=0-9", Ok(Some((0, 9))));
        check("bytes=90-", Ok(Some((90, 99))));
        check("bytes=90-1000", Ok(Some((90, 99))));
        check("bytes=-10", Ok(Some((90, 99))));
        check("bytes=-1000", Ok(Some((0, 99))));
        check("bytes=100-", Err(()));
        for whole in [
            "bytes=9-3",
            "bytes=0-1,5-6",
            "bytes=-0",
            "lines=1-2",
            "bytes=x-",
            "bytes=-",
        ] {
            check(whole, Ok(None));
        }
        assert_eq!(asked(&HeaderMap::new(), 100), Ok(None));
    }
}
