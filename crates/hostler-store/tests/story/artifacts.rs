//! Artifacts.

use hostler_core::workload::Goal;
use hostler_store::ArtifactDeleted;

use super::world::{BY, DIGEST, World, generation, name};

pub(crate) async fn a_project_sees_only_its_own_artifacts(world: &World) {
    let store = &world.store;
    let (ours, theirs) = (name("default"), name("other"));
    assert!(store.artifact_get(&ours, DIGEST).await.unwrap().is_some());
    assert_eq!(store.artifact_get(&theirs, DIGEST).await.unwrap(), None);
    world.artifact("other").await;
    world.artifact("other").await;
    assert_eq!(store.artifact_list(Some(&theirs)).await.unwrap().len(), 1);
    assert_eq!(store.artifact_list(None).await.unwrap().len(), 2);
    assert_eq!(
        world.told(DIGEST).await,
        ["artifact.uploaded", "artifact.uploaded"]
    );

    let delete = async |project| store.artifact_delete(&BY, project, DIGEST).await.unwrap();
    assert_eq!(delete(&ours).await, ArtifactDeleted::Shared);
    assert_eq!(delete(&ours).await, ArtifactDeleted::Unknown);
    assert_eq!(delete(&theirs).await, ArtifactDeleted::Last);
    assert_eq!(store.artifact_list(None).await.unwrap(), []);
}

pub(crate) async fn an_artifact_in_use_is_not_deleted(world: &World) {
    let store = &world.store;
    let project = name("default");
    let id = world.workload("echo").await.facts.id;
    let delete = async || store.artifact_delete(&BY, &project, DIGEST).await.unwrap();
    assert_eq!(
        delete().await,
        ArtifactDeleted::InUse {
            workloads: 1,
            images: 0
        }
    );
    store.workload_goal_set(&BY, id, Goal::Gone).await.unwrap();
    store
        .workload_erase(&BY, id, generation(2), None)
        .await
        .unwrap();
    assert_eq!(delete().await, ArtifactDeleted::Last);
}
