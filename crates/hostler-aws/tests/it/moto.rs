//! moto's server, and what is asked of it besides the provider: the hands of a
//! person at the console.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// The server; ends with this.
pub(crate) struct Moto {
    child: Child,
    pub(crate) url: String,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let program = std::env::var("HOSTLER_MOTO").unwrap_or_else(|_| "moto_server".to_owned());
        let mut child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto_server; `make test-aws` installs it");
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let found =
            lines.find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()));
        let url = found.expect("the address in its log");
        // Read on, or it waits for somebody to read its log.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// A call of EC2.
    pub(crate) async fn ec2(&self, words: &[(&str, &str)]) -> String {
        self.call("ec2", "2016-11-15", words).await
    }

    /// A call of Auto Scaling.
    pub(crate) async fn autoscaling(&self, words: &[(&str, &str)]) -> String {
        self.call("autoscaling", "2011-01-01", words).await
    }

    async fn call(&self, service: &str, version: &str, words: &[(&str, &str)]) -> String {
        let scope = format!("test/20260101/eu-west-1/{service}/aws4_request");
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(words)
            .append_pair("Version", version)
            .finish();
        let answer = reqwest::Client::new()
            .post(&self.url)
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        let is_fine = answer.status().is_success();
        let text = answer.text().await.unwrap();
        assert!(is_fine, "{words:?}: {text}");
        text
    }

    /// A launch template of this name.
    pub(crate) async fn template(&self, name: &str) {
        self.ec2(&[
            ("Action", "CreateLaunchTemplate"),
            ("LaunchTemplateName", name),
            ("LaunchTemplateData.ImageId", "ami-12c6146b"),
            ("LaunchTemplateData.InstanceType", "m5.large"),
        ])
        .await;
    }

    /// An Auto Scaling group of this name, for at most 5, with this fleet's tag.
    pub(crate) async fn group(&self, name: &str, fleet: &str) {
        self.template(name).await;
        self.autoscaling(&[
            ("Action", "CreateAutoScalingGroup"),
            ("AutoScalingGroupName", name),
            ("LaunchTemplate.LaunchTemplateName", name),
            ("MinSize", "0"),
            ("MaxSize", "5"),
            ("AvailabilityZones.member.1", "eu-west-1a"),
            ("Tags.member.1.Key", "hostler:fleet"),
            ("Tags.member.1.Value", fleet),
            ("Tags.member.1.PropagateAtLaunch", "true"),
            ("Tags.member.1.ResourceId", name),
            ("Tags.member.1.ResourceType", "auto-scaling-group"),
        ])
        .await;
    }

    /// An instance that somebody launches with these tags; its id.
    pub(crate) async fn instance(&self, tags: &[(&str, &str)]) -> String {
        let mut words = vec![
            ("Action".to_owned(), "RunInstances".to_owned()),
            ("ImageId".to_owned(), "ami-12c6146b".to_owned()),
            ("MinCount".to_owned(), "1".to_owned()),
            ("MaxCount".to_owned(), "1".to_owned()),
        ];
        if !tags.is_empty() {
            words.push((
                "TagSpecification.1.ResourceType".to_owned(),
                "instance".to_owned(),
            ));
        }
        for (at, (key, value)) in tags.iter().enumerate() {
            let tag = format!("TagSpecification.1.Tag.{}", at + 1);
            words.push((format!("{tag}.Key"), (*key).to_owned()));
            words.push((format!("{tag}.Value"), (*value).to_owned()));
        }
        let words: Vec<(&str, &str)> = words
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let answer = self.ec2(&words).await;
        ids(&answer).remove(0)
    }

    /// Ends an instance behind the manager's back.
    pub(crate) async fn end(&self, id: &str) {
        self.ec2(&[("Action", "TerminateInstances"), ("InstanceId.1", id)])
            .await;
    }

    /// The instances that run or are about to, with this tag.
    pub(crate) async fn living(&self, tag: &str, value: &str) -> Vec<String> {
        let answer = self
            .ec2(&[
                ("Action", "DescribeInstances"),
                ("Filter.1.Name", &format!("tag:{tag}")),
                ("Filter.1.Value.1", value),
                ("Filter.2.Name", "instance-state-name"),
                ("Filter.2.Value.1", "running"),
                ("Filter.2.Value.2", "pending"),
            ])
            .await;
        ids(&answer)
    }

    /// When an instance was launched.
    pub(crate) async fn launched(&self, id: &str) -> String {
        let answer = self.describe(id).await;
        let (_, rest) = answer.split_once("<launchTime>").unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    }

    /// All that is known of an instance, as XML.
    pub(crate) async fn describe(&self, id: &str) -> String {
        self.ec2(&[("Action", "DescribeInstances"), ("InstanceId.1", id)])
            .await
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The instances in an answer.
pub(crate) fn ids(xml: &str) -> Vec<String> {
    let mut ids: Vec<String> = xml
        .split("<instanceId>")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('<')?.0.to_owned()))
        .collect();
    ids.sort();
    ids.dedup();
    ids
}
