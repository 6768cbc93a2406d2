//! What an answer means that is not the one that was wished for. The words are
//! EC2's; only what the caller does next is told apart.

use hostler_core::runner::{Reason, ReasonCode};
use hostler_runners::provider::ProviderError;

/// A call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// AWS said no.
    #[error("{code}: {text}")]
    Refused {
        /// Its word for it.
        code: String,
        /// Its sentence.
        text: String,
        /// The HTTP status.
        status: u16,
    },
    /// It said nothing, or nothing that can be understood.
    #[error("AWS did not answer: {0}")]
    Silent(String),
}

const QUOTA: &[&str] = &[
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "MaxSpotInstanceCountExceeded",
    "VolumeLimitExceeded",
    "AddressLimitExceeded",
    "NetworkInterfaceLimitExceeded",
    "ResourceCountExceeded",
];
/// Of this kind, in this place, at this time. Another type or zone may do.
const CAPACITY: &[&str] = &[
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientReservedInstanceCapacity",
    "InsufficientCapacityOnOutpost",
    "InsufficientFreeAddressesInSubnet",
    "SpotMaxPriceTooLow",
    "InsufficientCapacity",
    "Unsupported",
];
const DENIED: &[&str] = &[
    "UnauthorizedOperation",
    "AuthFailure",
    "AccessDenied",
    "AccessDeniedException",
    "OptInRequired",
    "PendingVerification",
    "Blocked",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "ExpiredToken",
    "RequestExpired",
    "MissingAuthenticationToken",
];
const THROTTLED: &[&str] = &[
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "EC2ThrottledException",
    // A token of ours was used before, and nothing is listed yet: it will be.
    "IdempotentParameterMismatch",
    "ResourceContention",
    "ScalingActivityInProgress",
];

impl CloudError {
    /// EC2's word for it.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Silent(_) => "",
        }
    }

    /// Whether the thing it was about is not there (any more).
    pub fn is_missing(&self) -> bool {
        let words = ["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"];
        let gone = |text: &str| text.contains("not found") || text.contains("not in Auto Scaling");
        match self {
            Self::Refused { code, text, .. } => {
                words.contains(&code.as_str()) || code == "ValidationError" && gone(text)
            }
            Self::Silent(_) => false,
        }
    }

    /// Whether the same may be had in another size or place.
    pub fn is_capacity(&self) -> bool {
        CAPACITY.contains(&self.code())
    }

    /// Whether the token was that of an instance which has ended.
    pub fn is_spent(&self) -> bool {
        self.code() == "IdempotentInstanceTerminated"
    }

    /// Whether it may have been done all the same.
    pub fn is_unknown(&self) -> bool {
        matches!(self.provider(), ProviderError::Unreachable(_))
    }

    /// As the manager understands it.
    pub fn provider(&self) -> ProviderError {
        let text = self.to_string();
        let Self::Refused { code, status, .. } = self else {
            return ProviderError::Unreachable(text);
        };
        let is_of = |words: &[&str]| words.contains(&code.as_str());
        if is_of(QUOTA) {
            ProviderError::Quota(text)
        } else if is_of(CAPACITY) {
            ProviderError::NoCapacity(text)
        } else if is_of(DENIED) {
            ProviderError::Denied(text)
        } else if is_of(THROTTLED) || *status == 429 {
            ProviderError::Throttled {
                retry_after: None,
                text,
            }
        } else if (400..500).contains(status) {
            ProviderError::Invalid(text)
        } else {
            ProviderError::Unreachable(text)
        }
    }

    /// Why, for people.
    pub fn reason(&self) -> Reason {
        self.provider().reason()
    }
}

/// What a group says of a launch that failed: the sentence alone, the word of
/// EC2 is somewhere in it.
pub(crate) fn reason_of_activity(text: &str) -> Reason {
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let code = if any(QUOTA) || text.contains("limit") {
        ReasonCode::QuotaExceeded
    } else if any(&CAPACITY[..CAPACITY.len() - 1]) || text.contains("not have sufficient") {
        ReasonCode::NoCapacity
    } else if any(DENIED) || text.contains("not authorized") {
        ReasonCode::Denied
    } else {
        ReasonCode::Invalid
    };
    Reason::new(code, text)
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
