//! Every method there is, one line each. A new method is a folder and a line here.

use crate::capacity::{self, Capacity};
use crate::codec::stamp::Key;
use crate::connect::{self, Connect};
use crate::dns::{self, Dns};
use crate::fetch::{self, Fetch};
use crate::handshake::{self, Handshake};
use crate::iperf3::{self, Iperf3};
use crate::librespeed::{self, Librespeed};
use crate::ndt7::{self, Ndt7};
use crate::ping::{self, Ping};
use crate::probe::{Descriptor, Probe, ProbeError};
use crate::responsiveness::{self, Responsiveness};
use crate::stamp::{self, Stamp};
use crate::throughput::{self, Throughput};
use crate::trace::{self, Trace};
use crate::web::{self, Web};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A method's settings, by key.
pub type Settings = Map<String, Value>;

/// Makes a probe with these settings, and with the key shared with the peer where packets are authenticated.
pub type Build = fn(&Settings, Option<&Key>) -> Result<Box<dyn Probe>, ProbeError>;

/// A method and how to make a probe of it.
pub struct Method {
    /// What it is.
    pub descriptor: &'static Descriptor,
    /// How to make a probe of it.
    pub build: Build,
}

/// Every method.
pub static PROBES: &[Method] = &[
    Method { descriptor: &stamp::DESCRIPTOR, build: build_stamp },
    Method {
        descriptor: &ping::DESCRIPTOR,
        build: |settings, _| {
            let probe = Ping::new(read(&ping::DESCRIPTOR, settings)?);
            probe.check()?;
            Ok(Box::new(probe))
        },
    },
    Method {
        descriptor: &trace::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Trace::new(read(&trace::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &capacity::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Capacity::new(read(&capacity::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &dns::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Dns::new(read(&dns::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &connect::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Connect::new(read(&connect::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &handshake::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Handshake::new(read(&handshake::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &fetch::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Fetch::new(read(&fetch::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &web::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Web::new(read(&web::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &librespeed::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Librespeed::new(read(&librespeed::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &responsiveness::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Responsiveness::new(read(&responsiveness::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &throughput::DESCRIPTOR,
        build: |settings, key| {
            let probe = Throughput::new(read(&throughput::DESCRIPTOR, settings)?)?;
            Ok(Box::new(match key {
                Some(key) => probe.with_key(key.clone()),
                None => probe,
            }))
        },
    },
    Method {
        descriptor: &iperf3::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Iperf3::new(read(&iperf3::DESCRIPTOR, settings)?)?)),
    },
    Method {
        descriptor: &ndt7::DESCRIPTOR,
        build: |settings, _| Ok(Box::new(Ndt7::new(read(&ndt7::DESCRIPTOR, settings)?)?)),
    },
];

/// Looks a method up by its name.
pub fn find(name: &str) -> Option<&'static Method> {
    PROBES.iter().find(|method| method.descriptor.name == name)
}

fn build_stamp(settings: &Settings, key: Option<&Key>) -> Result<Box<dyn Probe>, ProbeError> {
    let (mut paced, mut more) = (settings.clone(), Settings::new());
    for key in stamp::Extensions::KEYS {
        more.extend(paced.remove(key).map(|value| (key.to_owned(), value)));
    }
    let extensions: stamp::Extensions = read(&stamp::DESCRIPTOR, &more)?;
    let paced = read(&stamp::DESCRIPTOR, &paced).map_err(|error| match error {
        // serde lists the keys of the one half alone.
        ProbeError::Setting { method, key, problem } if problem.starts_with("unknown field") => {
            let others = stamp::Extensions::KEYS.map(|key| format!("`{key}`")).join(", ");
            ProbeError::Setting { method, key, problem: format!("{problem}, {others}") }
        }
        error => error,
    })?;
    let probe = Stamp::new(paced).with_extensions(extensions.check()?);
    let probe = match key {
        Some(key) => probe.with_key(key.clone()),
        None => probe,
    };
    probe.check()?;
    Ok(Box::new(probe))
}

/// Reads settings, refusing keys that the method does not know.
fn read<T: DeserializeOwned>(method: &'static Descriptor, settings: &Settings) -> Result<T, ProbeError> {
    serde_json::from_value(Value::Object(settings.clone())).map_err(|error| {
        let problem = error.to_string();
        // serde quotes the key it does not know; a value of the wrong kind is found by trying each key alone.
        let unknown = problem.split('`').nth(1).filter(|key| settings.contains_key(*key));
        let key = unknown.map(str::to_owned).or_else(|| {
            let alone = |(key, value): (&String, &Value)| Map::from_iter([(key.clone(), value.clone())]);
            settings
                .iter()
                .find(|entry| serde_json::from_value::<T>(Value::Object(alone(*entry))).is_err())
                .map(|(key, _)| key.clone())
        });
        ProbeError::Setting { method: method.name, key: key.unwrap_or_else(|| "settings".into()), problem }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::metric::MetricId;
    use serde_json::json;

    fn refusal(method: &str, settings: &Value) -> String {
        let settings = settings.as_object().unwrap();
        (find(method).unwrap().build)(settings, None).err().map(|e| e.to_string()).unwrap()
    }

    #[test]
    fn every_method_yields_metrics_that_exist_and_builds_with_its_defaults() {
        for method in PROBES {
            for metric in method.descriptor.metrics {
                assert!(MetricId::find(metric).is_some(), "{}: {metric}", method.descriptor.name);
            }
            assert!((method.build)(&Settings::new(), None).is_ok(), "{}", method.descriptor.name);
        }
    }

    #[test]
    fn a_setting_that_a_method_does_not_know_is_refused_by_name_with_those_it_knows() {
        let text = refusal("ping", &json!({ "streams": 8 }));
        assert!(text.contains("setting streams of method ping") && text.contains("timeout_ms"), "{text}");
    }

    #[test]
    fn stamp_lists_the_settings_of_its_extensions_among_those_it_knows() {
        let text = refusal("stamp", &json!({ "nonsense": 3 }));
        for key in stamp::Extensions::KEYS.into_iter().chain(["per_second", "timeout_ms"]) {
            assert!(text.contains(&format!("`{key}`")), "{key}: {text}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_by_its_key() {
        let text = refusal("stamp", &json!({ "per_second": 5.0, "count": "many" }));
        assert!(text.contains("setting count of method stamp"), "{text}");
    }

    #[test]
    fn a_value_that_cannot_be_used_is_refused_before_anything_is_asked() {
        let wrong = [
            ("stamp", json!({ "per_second": -1.0 }), "per_second"),
            ("stamp", json!({ "payload_bytes": 1 }), "payload_bytes"),
            ("ping", json!({ "count": 0 }), "count"),
            ("ping", json!({ "payload_bytes": 100_000 }), "payload_bytes"),
            ("connect", json!({ "count": 0 }), "count"),
            ("throughput", json!({ "streams": 0 }), "streams"),
        ];
        for (method, settings, key) in wrong {
            let text = refusal(method, &settings);
            assert!(text.contains(&format!("setting {key} of method {method}")), "{text}");
        }
    }
}
