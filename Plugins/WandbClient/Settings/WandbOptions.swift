package import EspalierPluginKit

/// The user's options, `--logger_option wandb.NAME=VALUE`. What they leave open the environment may say
/// (`WANDB_PROJECT`, …), then the run itself.
package enum WandbOptions {
  static let mode = PluginOption.string(
    "mode", "online, offline (files for 'wandb sync') or disabled; else WANDB_MODE, online")
  static let project = PluginOption.string(
    "project", "Project of the run; else WANDB_PROJECT, --tracker_project_name")
  static let entity = PluginOption.string(
    "entity", "User or team; else WANDB_ENTITY, the key's own")
  static let name = PluginOption.string(
    "name", "The run's name for people; else WANDB_NAME, made up by the server")
  static let group = PluginOption.string("group", "Group of runs; else WANDB_RUN_GROUP")
  static let jobType = PluginOption.string("job_type", "Kind of run; else WANDB_JOB_TYPE")
  static let tags = PluginOption.string("tags", "Tags, separated by commas; else WANDB_TAGS")
  static let notes = PluginOption.string("notes", "A text about the run; else WANDB_NOTES")
  static let runID = PluginOption.string(
    "run_id", "Id of the run; else WANDB_RUN_ID, that of the training that goes on, a new one")
  static let resume = PluginOption.string(
    "resume", "allow, must or never: what to do if the server has the run; else WANDB_RESUME, allow"
  )
  static let baseURL = PluginOption.string(
    "base_url", "The server; else WANDB_BASE_URL, \(ServerAddress.standard)")
  static let directory = PluginOption.string(
    "dir", "Where the folder 'wandb' is kept; else WANDB_DIR, the run's log folder")
  static let console = PluginOption.bool(
    "console", default: true, "Send what the run shows on the console")
  static let interval = PluginOption.number(
    "interval_seconds", default: 15, where: { (0.05...600).contains($0) },
    "a number from 0.05 to 600",
    "Seconds for which rows are gathered before they are sent")
  static let retry = PluginOption.number(
    "retry_seconds", default: 2, where: { (0.05...60).contains($0) }, "a number from 0.05 to 60",
    "Seconds before a failed request is sent again; doubled each time, up to 60")
  static let finish = PluginOption.number(
    "finish_seconds", default: 15, where: { (0...25).contains($0) }, "a number from 0 to 25",
    "How long the end of a run waits for what is not sent yet; the rest is kept for a resumed run")
  static let spool = PluginOption.int(
    "spool_mebibytes", default: 1024, in: 1...1_048_576,
    "The most that images may take on the disk while they wait to be sent")

  package static let all: [any DescribedOption] = [
    mode, project, entity, name, group, jobType, tags, notes, runID, resume, baseURL, directory,
    console, interval, retry, finish, spool,
  ]
}
