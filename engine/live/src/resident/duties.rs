//! What is due, carried out.

use super::{Resident, ResidentError, Wanted};
use crate::machine::retrain::RetrainOutcome;
use crate::machine::{Duty, Offer, What, retrain, rollout, trigger};
use mlp_core::clock::{Clock, rfc3339};
use mlp_core::digest::Digest;
use mlp_core::record::{Millis, Outcome, Trigger};
use mlp_lang::live::{Given, TriggerWhen};
use mlp_lang::pipeline::{NodeKind, Pipeline};
use mlp_lang::types::Type;

impl Resident {
    pub(super) async fn carry_out(&mut self, duty: &Duty) -> Result<(), ResidentError> {
        match duty {
            Duty::Load { deployment, version } => {
                self.load(deployment, *version);
                Ok(())
            }
            Duty::Step { deployment } => {
                self.write(What::Rollout { deployment: deployment.clone(), event: rollout::Event::Ticked }).await
            }
            Duty::Measure { deployment, version, metrics, since } => {
                let event = self.measure(deployment, *version, metrics, *since);
                self.write(What::Rollout { deployment: deployment.clone(), event }).await
            }
            Duty::Judge { monitor, window, version, since } => {
                let event = tokio::task::block_in_place(|| self.judge(monitor, *window, *version, *since));
                self.write(What::Monitor { monitor: monitor.clone(), event }).await
            }
            Duty::Fire { trigger, at } => {
                let event = trigger::Event::Fired { at: *at };
                self.write(What::Trigger { trigger: trigger.clone(), event }).await
            }
            Duty::Watch { trigger, known } => {
                let seen = tokio::task::block_in_place(|| self.look_at(trigger));
                match seen.filter(|seen| known.as_ref() != Some(seen)) {
                    Some(digest) => {
                        let event = trigger::Event::Seen { digest };
                        self.write(What::Trigger { trigger: trigger.clone(), event }).await
                    }
                    None => Ok(()),
                }
            }
            Duty::Retrain { key, pipeline, params, now, words, started, .. } => {
                self.retrain(key, pipeline, params, *now, words, *started).await
            }
            Duty::Alert { key, channel, to, attempt, body } => {
                self.alert(key, *channel, to, *attempt, body);
                Ok(())
            }
        }
    }

    /// Looks at the files of `on change` triggers.
    pub(super) async fn look_at_data(&mut self) -> Result<(), ResidentError> {
        let due = self.live.due(self.clock.now());
        for duty in due.iter().filter(|duty| matches!(duty, Duty::Watch { .. })) {
            self.carry_out(duty).await?;
        }
        Ok(())
    }

    /// Starts a run, unless an engine that was killed had it run to its end already.
    async fn retrain(
        &mut self,
        key: &str,
        pipeline: &str,
        params: &[(String, Given)],
        now: Millis,
        words: &str,
        started: bool,
    ) -> Result<(), ResidentError> {
        if started {
            if let Some(ended) = self.ended_before(key)? {
                self.write(What::Retrain { key: key.to_owned(), event: ended }).await?;
                return self.take_offers().await;
            }
        } else {
            // The intent first, so that whoever comes after a kill looks for the run before starting one.
            let event = retrain::Event::Started { run: None };
            self.write(What::Retrain { key: key.to_owned(), event }).await?;
        }
        let Some(declared) = self.pipelines.get(pipeline) else {
            let words = format!("the pipeline `{pipeline}` is not served any more");
            let event = retrain::Event::Ended { run: None, outcome: RetrainOutcome::Failed, words };
            return self.write(What::Retrain { key: key.to_owned(), event }).await;
        };
        let given = params.iter().map(|(name, given)| (name.clone(), text(&declared.pipeline, name, given, now)));
        let wanted = Wanted {
            pipeline: pipeline.to_owned(),
            params: given.collect(),
            trigger: Trigger { key: key.to_owned(), words: words.to_owned() },
            aliases: crate::home::aliases(&self.live),
        };
        self.run_again(wanted);
        Ok(())
    }

    /// How the run with this key ended, if it did. One that was cut off is begun again and takes up what was done.
    fn ended_before(&self, key: &str) -> Result<Option<retrain::Event>, ResidentError> {
        let Some(run) = self.history.triggered(key)? else { return Ok(None) };
        let Some(outcome) = run.outcome.and_then(|outcome| self.retrained(run.run, outcome)) else { return Ok(None) };
        let words = format!("run {} had ended before the engine was started again", run.run);
        Ok(Some(retrain::Event::Ended { run: Some(run.run), outcome, words }))
    }

    /// What a run that ended like this means to whoever asked for it. `None`: it was cut off.
    pub(super) fn retrained(&self, run: u64, outcome: Outcome) -> Option<RetrainOutcome> {
        match outcome {
            Outcome::Succeeded => {
                let offers = self.history.offers().unwrap_or_default();
                let offered = offers.iter().rev().find(|offer| offer.run == run);
                Some(offered.map_or(RetrainOutcome::Nothing, |offer| RetrainOutcome::Offered(offer.version)))
            }
            // As long as people have not said yes nothing is offered; once they did, `mlp retry` offers it.
            Outcome::Blocked | Outcome::Waiting => Some(RetrainOutcome::Blocked),
            Outcome::Failed => Some(RetrainOutcome::Failed),
            Outcome::Cancelled | Outcome::Interrupted => None,
        }
    }

    /// Candidates that runs handed over and nobody took up yet.
    pub(super) async fn take_offers(&mut self) -> Result<(), ResidentError> {
        for offer in self.history.offers()? {
            let known = self.offered.get(&offer.deployment);
            if self.declared(&offer.deployment).is_none() || known.is_some_and(|run| *run >= offer.run) {
                continue;
            }
            let taken = Offer { model: offer.model, version: offer.version, run: offer.run };
            self.write(What::Offered { deployment: offer.deployment, offer: taken }).await?;
        }
        Ok(())
    }

    /// The content of the file that a trigger watches. `None`: it cannot be read now, which is no change.
    fn look_at(&self, wanted_trigger: &str) -> Option<String> {
        self.pipelines.values().find_map(|declared| {
            let wanted = |name: &str| trigger::key(&declared.pipeline.name, name) == wanted_trigger;
            let node = declared.pipeline.nodes.iter().find(|node| wanted(&node.name))?;
            let NodeKind::Trigger(node) = &node.kind else { return None };
            let TriggerWhen::Change { data } = &node.when else { return None };
            let NodeKind::Data(data) = &declared.pipeline.nodes.get(data.index())?.kind else { return None };
            let bytes = std::fs::read(declared.base.join(data.source.path())).ok()?;
            Some(Digest::of(&bytes).to_string())
        })
    }
}

/// A parameter as it is written on a command line.
fn text(pipeline: &Pipeline, name: &str, given: &Given, now: Millis) -> String {
    match given {
        Given::Value(value) => value.to_string(),
        Given::Now => {
            let time = rfc3339(now);
            match pipeline.params.get(name).map(|param| &param.ty) {
                Some(Type::Date) => time.chars().take("2011-04-01".len()).collect(),
                _ => time,
            }
        }
    }
}
