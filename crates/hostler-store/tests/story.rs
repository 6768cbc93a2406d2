//! The store's story, told once and lived on both databases: SQLite in a
//! folder of its own, and a real PostgreSQL that the tests start themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "all of it is test code, also outside of test functions"
)]

mod story {
    pub(crate) mod access;
    pub(crate) mod artifacts;
    pub(crate) mod audit;
    pub(crate) mod crash;
    pub(crate) mod events;
    pub(crate) mod fencing;
    pub(crate) mod inserts;
    pub(crate) mod nodes;
    pub(crate) mod opening;
    pub(crate) mod operations;
    pub(crate) mod quotas;
    pub(crate) mod races;
    pub(crate) mod runners;
    pub(crate) mod seats;
    pub(crate) mod seen;
    pub(crate) mod users;
    pub(crate) mod vm_ends;
    pub(crate) mod vms;
    pub(crate) mod workloads;
    pub(crate) mod world;
}

use story::world::World;

macro_rules! chapters {
    ($($module:ident: $($sentence:ident),+;)+) => {
        mod sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $sentence() {
                    super::story::$module::$sentence(&super::World::sqlite().await).await;
                }
            )+)+
        }
        mod postgres {
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $sentence() {
                    super::story::$module::$sentence(&super::World::postgres().await).await;
                }
            )+)+
        }
    };
}

chapters! {
    opening:
        a_store_opens_again_with_what_it_had_and_migrates_nothing_twice,
        two_processes_may_open_at_once,
        a_newer_schema_is_refused_by_name;
    nodes:
        a_node_is_found_by_its_key_and_its_key_is_read_back,
        a_name_belongs_to_one_node,
        a_node_has_one_key_for_nats_and_it_goes_with_the_node,
        an_older_heartbeat_of_the_same_boot_is_ignored,
        a_heartbeat_never_touches_what_seats_have_taken,
        who_registers_again_with_its_own_key_is_the_same_node,
        a_change_of_availability_is_told_once,
        a_removed_node_frees_what_sat_there,
        a_node_leaves_only_when_nothing_sits_there,
        what_an_operator_changes_stays_through_heartbeats;
    access:
        a_join_token_lets_in_as_many_as_it_has_uses,
        a_refused_registration_spends_nothing,
        a_token_works_until_it_expires_or_is_deleted,
        the_bootstrap_token_is_made_once_and_replaced_by_another_secret;
    users:
        a_user_is_made_once_and_has_what_was_given_to_them,
        a_change_of_users_keeps_an_administrator,
        of_two_administrators_who_remove_each_other_one_stays,
        a_role_in_use_is_not_deleted,
        a_deleted_user_leaves_nothing_that_opens_anything,
        a_session_ends_with_its_time_its_user_or_its_password,
        a_member_has_a_role_in_one_project,
        a_project_with_something_in_it_is_not_deleted,
        a_sign_in_is_answered_once_and_redeemed_once,
        who_is_vouched_for_has_what_their_groups_say;
    quotas:
        a_hundred_requests_at_once_never_exceed_a_quota,
        what_does_not_fit_leaves_no_trace_and_no_key,
        a_project_without_a_quota_has_no_bounds,
        a_hundred_vms_at_once_never_exceed_a_quota,
        a_hundred_starts_at_once_never_exceed_a_quota,
        whatever_makes_a_vm_need_more_is_asked_of_the_quota,
        what_lies_in_the_trash_is_disk_and_comes_back_only_if_it_may,
        a_project_with_a_vm_is_not_deleted;
    audit:
        changes_that_people_ask_for_are_chained,
        many_at_once_append_one_chain,
        the_first_entry_that_was_tampered_with_is_named;
    artifacts:
        a_project_sees_only_its_own_artifacts,
        an_artifact_in_use_is_not_deleted;
    inserts:
        a_workload_reads_back_as_it_was_asked_for,
        a_repeated_request_makes_nothing_and_another_under_its_key_is_refused,
        a_repeated_request_for_what_is_gone_says_so,
        a_failed_request_keeps_no_key,
        an_unknown_artifact_is_refused,
        a_row_the_database_refuses_does_not_fail_its_neighbours;
    workloads:
        lists_go_page_by_page,
        lists_narrow_by_every_filter,
        only_a_change_of_goal_raises_the_generation,
        gone_is_final_and_leaves_a_tombstone,
        the_unsettled_are_those_with_something_to_do,
        a_reason_is_kept_and_told_once,
        a_generation_is_raised_over_what_a_node_was_told;
    seats:
        a_seat_takes_room_and_gives_it_back,
        a_full_closed_or_missing_node_has_no_room,
        a_decision_on_an_older_generation_is_stale,
        what_sits_on_a_lost_node_keeps_its_seat_while_the_lease_holds,
        what_sits_on_a_node_that_is_registered_after_all_keeps_its_seat,
        many_seats_share_a_transaction_and_fail_alone,
        overcommit_and_unclaimed_work_count;
    seen:
        what_a_node_says_is_kept_and_told_on_change,
        older_or_foreign_words_change_nothing,
        an_outrun_heartbeat_changes_nothing;
    races:
        twenty_racers_for_ten_places_give_ten_seats,
        one_key_sent_five_times_at_once_makes_one_workload,
        two_bodies_under_one_key_at_once_make_one_and_refuse_the_other,
        one_name_asked_for_at_once_is_given_once,
        the_same_requests_in_any_order_make_each_once,
        a_workload_is_seated_once_however_many_try,
        an_artifact_is_never_deleted_under_a_new_workload;
    fencing:
        a_lease_has_one_holder_and_counts_its_holders,
        a_former_holder_changes_nothing;
    events:
        every_change_is_told_with_its_author,
        a_reader_that_continues_misses_nothing,
        listeners_wake_after_the_commit;
    operations:
        an_operation_is_claimed_by_one_and_ended_once,
        a_worker_that_lost_its_claim_writes_nothing,
        a_worker_closes_no_node_once_its_operation_is_called_off,
        the_same_operation_is_not_asked_for_twice;
    runners:
        a_job_is_written_once_and_replaced_by_its_next_revision,
        of_many_decisions_on_one_turn_one_is_carried_out,
        what_a_person_asks_for_makes_decisions_void,
        a_decision_under_a_lost_lease_changes_nothing,
        a_runner_is_removed_by_one_job_at_a_time,
        a_machine_that_nobody_answers_for_does_not_register,
        a_removal_is_called_off_until_its_runner_is_drained,
        a_node_is_not_drained_for_a_removal_that_was_called_off;
    vms:
        a_vm_reads_back_as_it_was_asked_for_and_its_seed_is_sealed,
        one_vm_has_a_name_and_one_request_makes_one_vm,
        a_vm_takes_disk_with_its_seat_and_the_rest_with_its_goal,
        vms_and_workloads_share_one_room,
        a_full_closed_or_diskless_node_takes_no_vm,
        a_hundred_racers_for_twenty_places_give_twenty_seats,
        a_change_is_made_on_what_was_looked_at_or_not_at_all,
        racing_changes_never_lose_room,
        what_a_node_says_of_vms_is_kept_and_told_on_change,
        the_unsettled_vms_are_those_with_a_next_step;
    vm_ends:
        snapshots_are_wanted_seen_and_given_up,
        a_vm_that_is_gone_leaves_a_tombstone,
        a_node_with_vms_does_not_leave_and_takes_their_disks_when_removed,
        the_trash_is_listed_by_age,
        an_image_is_registered_once_and_stays_while_it_is_used,
        a_share_opens_until_it_expires_or_is_revoked,
        a_vm_is_raised_over_what_its_node_was_told;
    crash:
        what_was_acknowledged_survives_a_kill;
}
