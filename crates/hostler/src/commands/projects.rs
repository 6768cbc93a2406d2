//! `hostler project` and `hostler quota`.

use anyhow::Result;
use hostler_core::{Bytes, Cpu};
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{MemberSet, Project, ProjectCreate, ProjectUpdate, Quota};

use crate::args::{Limits, ProjectCommand, QuotaCommand};
use crate::output::{self, Output};

/// Performs one of them.
pub(crate) async fn perform(
    command: ProjectCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        ProjectCommand::Ls => list(client, output).await,
        ProjectCommand::Create { name, description } => {
            let body = ProjectCreate {
                name,
                description,
                quota: Quota::default(),
            };
            let made = client.project_create(&body).await?;
            output.line(&made, |made| made.name.clone())
        }
        ProjectCommand::Rm { name } => Ok(client.project_delete(&name).await?),
        ProjectCommand::Members { name } => members(&name, client, output).await,
        ProjectCommand::Add { name, user, role } => {
            let body = MemberSet { role };
            let member = client.member_set(&name, &user, &body).await?;
            output.line(&member, |member| {
                format!("{} is {}", member.user, member.role)
            })
        }
        ProjectCommand::Remove { name, user } => Ok(client.member_delete(&name, &user).await?),
    }
}

async fn list(client: &ControlClient, output: Output) -> Result<()> {
    let projects = client.projects().await?;
    output.show(&projects, |projects| {
        let mut table = output::table(&["name", "workloads", "vms", "for"]);
        for project in projects {
            table.add_row([
                project.name.clone(),
                project.used.workloads.to_string(),
                project.used.vms.to_string(),
                project.description.clone(),
            ]);
        }
        table
    })
}

async fn members(name: &str, client: &ControlClient, output: Output) -> Result<()> {
    let members = client.members(name).await?;
    output.show(&members, |members| {
        let mut table = output::table(&["user", "role", "id"]);
        for member in members {
            table.add_row([&member.user, &member.role, &member.id.to_string()]);
        }
        table
    })
}

/// Performs one of the commands about quotas.
pub(crate) async fn quotas(
    command: QuotaCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        QuotaCommand::Ls => {
            let projects = client.projects().await?;
            output.show(&projects, |projects| table(projects))
        }
        QuotaCommand::Set { project, limits } => {
            let body = ProjectUpdate {
                description: None,
                quota: Some(quota(&limits)),
            };
            let project = client.project_update(&project, &body).await?;
            output.show(&project, |project| table(std::slice::from_ref(project)))
        }
    }
}

fn quota(limits: &Limits) -> Quota {
    Quota {
        cpu_millis: limits.cpu.map(Cpu::as_millis),
        memory_bytes: limits.memory.map(Bytes::get),
        disk_bytes: limits.disk.map(Bytes::get),
        vms: limits.vms,
        workloads: limits.workloads,
    }
}

fn table(projects: &[Project]) -> comfy_table::Table {
    let mut table = output::table(&["project", "cpu", "memory", "disk", "vms", "workloads"]);
    for Project {
        name, used, quota, ..
    } in projects
    {
        let cpu = |millis| Cpu::millis(millis).to_string();
        let bytes = |bytes| Bytes::new(bytes).to_string();
        let count = |count: u64| count.to_string();
        table.add_row([
            name.clone(),
            of(used.cpu_millis, quota.cpu_millis, cpu),
            of(used.memory_bytes, quota.memory_bytes, bytes),
            of(used.disk_bytes, quota.disk_bytes, bytes),
            of(used.vms, quota.vms, count),
            of(used.workloads, quota.workloads, count),
        ]);
    }
    table
}

fn of(used: u64, limit: Option<u64>, show: impl Fn(u64) -> String) -> String {
    match limit {
        Some(limit) => format!("{} of {}", show(used), show(limit)),
        None => show(used),
    }
}
