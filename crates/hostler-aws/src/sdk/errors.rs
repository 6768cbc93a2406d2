//! The SDK's errors as ours: what AWS answered, or that it did not.

use std::error::Error;

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use crate::cloud::CloudError;

/// A failure of any call.
#[allow(clippy::needless_pass_by_value)] // As `map_err` hands it over.
pub(super) fn failed<E>(error: SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(answer) = &error {
        let status = answer.raw().status().as_u16();
        if let Some(code) = answer.err().code() {
            return CloudError::Refused {
                code: code.to_owned(),
                text: answer.err().message().unwrap_or_default().to_owned(),
                status,
            };
        }
        return CloudError::Silent(format!("status {status}, and nothing to read"));
    }
    CloudError::Silent(innermost(&error))
}

/// The cause that all others follow from: the outer ones say only that there
/// was a connection.
fn innermost(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        said = cause.to_string();
        next = cause.source();
    }
    said
}
