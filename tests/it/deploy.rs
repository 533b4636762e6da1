//! Do the deployment files say what we promise? Kustomize renders them, the
//! Kubernetes schemas judge them, and the pod is held to the restricted Pod
//! Security Standard field by field.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::support::tool::{root, tool};

const BASE: &str = "deploy/kubernetes/base";
const EXAMPLE: &str = "deploy/kubernetes/overlays/example";

/// The oldest and the newest Kubernetes that the manifests are checked against.
const KUBERNETES: [&str; 2] = ["1.32", "1.37"];

fn render(directory: &str) -> String {
    tool("kustomize/usr/bin/kustomize", &["build", directory])
}

fn documents(directory: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&render(directory)).unwrap()
}

/// The only document of a kind.
fn only(kind: &str, documents: &[Value]) -> Value {
    let mut of_kind = documents.iter().filter(|document| document["kind"] == kind);
    let found = of_kind.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(of_kind.next().is_none(), "more than one {kind}");
    found.clone()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn list(value: &Value) -> &Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"))
}

/// The configuration file inside the `ConfigMap`.
fn configuration(documents: &[Value]) -> Value {
    let map = only("ConfigMap", documents);
    assert_eq!(keys(&map["data"]), BTreeSet::from(["silenced.yaml"]));
    serde_saphyr::from_str(map["data"]["silenced.yaml"].as_str().unwrap()).unwrap()
}

#[test]
fn the_schemas_of_kubernetes_accept_every_document() {
    let scratch = tempfile::tempdir().unwrap();
    for directory in [BASE, EXAMPLE] {
        let file = scratch.path().join("rendered.yaml");
        fs::write(&file, render(directory)).unwrap();
        for version in KUBERNETES {
            let arguments = ["--strict", "-k", version, file.to_str().unwrap()];
            let said = tool("python/bin/kubernetes-validate", &arguments);
            assert_eq!(
                said.matches(" passed for ").count(),
                documents(directory).len(),
                "{said}"
            );
        }
    }
}

#[test]
fn one_pod_at_a_time_writes() {
    let deployment = only("Deployment", &documents(BASE));
    let spec = &deployment["spec"];
    assert_eq!(spec["replicas"], 1);
    assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
    assert_eq!(
        spec["template"]["spec"]["terminationGracePeriodSeconds"],
        30
    );
}

#[test]
fn the_pod_meets_the_restricted_standard() {
    for directory in [BASE, EXAMPLE] {
        let documents = documents(directory);
        let deployment = only("Deployment", &documents);
        let pod = &deployment["spec"]["template"]["spec"];
        for host in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
            assert_eq!(pod[host], Value::Null, "{host}");
        }
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"], true);
        assert_eq!(security["runAsUser"], 65532);
        assert_eq!(security["runAsGroup"], 65532);
        assert_eq!(security["fsGroup"], 65532);
        assert_eq!(
            security["seccompProfile"],
            json!({"type": "RuntimeDefault"})
        );

        let [container] = list(&pod["containers"]).as_slice() else {
            panic!("one container: {pod}");
        };
        let expected = json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "privileged": false,
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
        });
        assert_eq!(container["securityContext"], expected);

        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(
            only("ServiceAccount", &documents)["automountServiceAccountToken"],
            false
        );
        assert_eq!(pod["enableServiceLinks"], false);

        let allowed = ["configMap", "emptyDir", "name", "secret"];
        for volume in list(&pod["volumes"]) {
            assert!(keys(volume).is_subset(&allowed.into()), "{volume}");
            if let Some(scratch) = volume.get("emptyDir") {
                assert!(scratch["sizeLimit"].is_string(), "no bound: {volume}");
            }
        }
        assert!(container["resources"]["limits"]["memory"].is_string());
    }
}

#[test]
fn the_example_namespace_enforces_the_restricted_standard() {
    let documents = documents(EXAMPLE);
    let namespace = only("Namespace", &documents);
    let labels = &namespace["metadata"]["labels"];
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
    for document in documents
        .iter()
        .filter(|document| document["kind"] != "Namespace")
    {
        assert_eq!(
            document["metadata"]["namespace"],
            namespace["metadata"]["name"]
        );
    }
}

#[test]
fn probes_and_service_reach_the_port_that_silenced_listens_on() {
    for directory in [BASE, EXAMPLE] {
        let documents = documents(directory);
        let deployment = only("Deployment", &documents);
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        for (probe, path) in [
            ("startupProbe", "/healthz"),
            ("livenessProbe", "/healthz"),
            ("readinessProbe", "/readyz"),
        ] {
            assert_eq!(
                container[probe]["httpGet"],
                json!({"path": path, "port": "http"})
            );
        }
        let port = &container["ports"][0];
        assert_eq!(
            (&port["name"], &port["containerPort"]),
            (&json!("http"), &json!(8080))
        );
        assert_eq!(configuration(&documents)["listen"], "0.0.0.0:8080");

        let service = only("Service", &documents);
        assert_eq!(service["spec"]["ports"][0]["targetPort"], "http");
        let selected = &deployment["spec"]["template"]["metadata"]["labels"];
        assert_eq!(&service["spec"]["selector"], selected);
    }
}

#[test]
fn the_configuration_has_known_keys_and_lies_where_the_container_looks() {
    let top = [
        "instance",
        "source",
        "interval",
        "horizon",
        "listen",
        "sync_token_file",
        "targets",
    ];
    for directory in [BASE, EXAMPLE] {
        let documents = documents(directory);
        let configuration = configuration(&documents);
        assert_eq!(keys(&configuration), top.into());
        assert!(keys(&configuration["source"]).is_subset(&["url", "path", "ref"].into()));
        for target in list(&configuration["targets"]) {
            assert!(
                keys(target).is_subset(&["name", "kind", "url", "labels"].into()),
                "{target}"
            );
            assert_eq!(target["kind"], "alertmanager");
        }

        let deployment = only("Deployment", &documents);
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let expected = [
            "run",
            "--config=/etc/silenced/silenced.yaml",
            "--cache-directory=/var/lib/silenced",
        ];
        assert_eq!(container["args"], json!(expected));
        let mounts: Vec<_> = list(&container["volumeMounts"])
            .iter()
            .map(|mount| {
                (
                    mount["mountPath"].as_str().unwrap(),
                    mount["name"].as_str().unwrap(),
                )
            })
            .collect();
        let expected = [
            ("/etc/silenced", "config"),
            ("/etc/silenced/secrets/sync-token", "sync-token"),
            ("/var/lib/silenced", "cache"),
            ("/tmp", "tmp"),
        ];
        assert_eq!(mounts, expected);
        assert_eq!(
            configuration["sync_token_file"],
            "/etc/silenced/secrets/sync-token/token"
        );

        // The hash in the name is what rolls the pod when the configuration changes.
        let name = only("ConfigMap", &documents)["metadata"]["name"].clone();
        let volumes = list(&pod["volumes"]);
        let config = volumes
            .iter()
            .find(|volume| volume["name"] == "config")
            .unwrap();
        assert_eq!(config["configMap"]["name"], name);
        assert!(
            name.as_str().unwrap().starts_with("silenced-config-"),
            "{name}"
        );
    }
}

#[test]
fn the_image_is_this_version_and_does_not_run_as_root() {
    for directory in [BASE, EXAMPLE] {
        let deployment = only("Deployment", &documents(directory));
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        let tag = image.as_str().unwrap().rsplit(':').next();
        assert_eq!(
            tag,
            Some(env!("CARGO_PKG_VERSION")),
            "the tag in {directory}"
        );
    }
    let dockerfile = fs::read_to_string(root().join("deploy/Dockerfile")).unwrap();
    let (_, last_stage) = dockerfile.rsplit_once("\nFROM ").unwrap();
    let instructions = |name: &str| -> Vec<_> {
        last_stage
            .lines()
            .filter_map(|line| line.strip_prefix(name))
            .map(str::trim)
            .collect()
    };
    assert_eq!(instructions("USER "), ["65532:65532"]);
    assert_eq!(
        instructions("ENTRYPOINT "),
        [r#"["/usr/local/bin/silenced"]"#]
    );
}
