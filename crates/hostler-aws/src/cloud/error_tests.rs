//! What AWS's words come to.

use super::*;

#[track_caller]
fn check(code: &str, status: u16, expected: ReasonCode) {
    let error = CloudError::Refused {
        code: code.to_owned(),
        text: "words".to_owned(),
        status,
    };
    let reason = error.reason();
    assert_eq!(reason.code, expected, "{code}");
    assert!(reason.text.contains(code), "{reason}");
}

#[test]
fn each_word_of_ec2_is_what_the_manager_does_next() {
    check("InsufficientInstanceCapacity", 500, ReasonCode::NoCapacity);
    check("Unsupported", 400, ReasonCode::NoCapacity);
    check("SpotMaxPriceTooLow", 400, ReasonCode::NoCapacity);
    check("VcpuLimitExceeded", 400, ReasonCode::QuotaExceeded);
    check(
        "MaxSpotInstanceCountExceeded",
        400,
        ReasonCode::QuotaExceeded,
    );
    check("UnauthorizedOperation", 403, ReasonCode::Denied);
    check("ExpiredToken", 400, ReasonCode::Denied);
    check("RequestLimitExceeded", 503, ReasonCode::Throttled);
    check("SomethingNew", 429, ReasonCode::Throttled);
    check(
        "InvalidLaunchTemplateName.NotFoundException",
        400,
        ReasonCode::Invalid,
    );
    check("InvalidAMIID.NotFound", 400, ReasonCode::Invalid);
    check("InternalError", 500, ReasonCode::ProviderUnreachable);
    check("Unavailable", 503, ReasonCode::ProviderUnreachable);
}

#[test]
fn no_capacity_is_no_unknown_outcome_although_it_is_answered_with_500() {
    let answer = |code: &str| CloudError::Refused {
        code: code.to_owned(),
        text: String::new(),
        status: 500,
    };
    assert!(!answer("InsufficientInstanceCapacity").is_unknown());
    assert!(answer("InternalError").is_unknown());
    assert!(CloudError::Silent("cut".to_owned()).is_unknown());
}

#[test]
fn a_group_s_sentence_is_understood_by_the_word_in_it() {
    let check = |text: &str, expected: ReasonCode| {
        assert_eq!(reason_of_activity(text).code, expected, "{text}");
    };
    let full =
        "We currently do not have sufficient m5.large capacity in the zone. Launching failed.";
    check(full, ReasonCode::NoCapacity);
    check(
        "... (InsufficientInstanceCapacity) ...",
        ReasonCode::NoCapacity,
    );
    check(
        "VcpuLimitExceeded: more than your limit",
        ReasonCode::QuotaExceeded,
    );
    check(
        "You are not authorized to use launch template",
        ReasonCode::Denied,
    );
    check("The image id '[ami-1]' does not exist", ReasonCode::Invalid);
}
