//! Errors as text, for logs and for what travels.

/// An error with its causes, in one line.
pub fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_cause_is_named() {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = crate::config::ConfigError::Read { file: "agent.toml".into(), source };
        assert_eq!(super::words(&error), "cannot read agent.toml: no such file");
    }
}
