import Foundation
import TestSupport
import Testing

/// Every flag of Diffusers' `train_t2i_adapter_sdxl.py`.
@Suite("The reference script's flags") struct TrainFlagTests {
  /// Name, a valid value (none for switches), and the default as `--help` spells it if there is one.
  struct Flag: Sendable, CustomTestStringConvertible {
    let name: String
    let value: String?
    let preset: String?
    var isInert = false
    var testDescription: String { name }

    init(_ name: String, _ value: String? = nil, preset: String? = nil, isInert: Bool = false) {
      (self.name, self.value, self.preset, self.isInert) = (name, value, preset, isInert)
    }

    var arguments: [String] { ["--" + name] + (value.map { [$0] } ?? []) }
  }

  static let flags: [Flag] = [
    Flag("pretrained_model_name_or_path", "/nowhere/model"),
    Flag("pretrained_vae_model_name_or_path", "vae"),
    Flag("adapter_model_name_or_path", "adapter"),
    Flag("revision", "main", isInert: true),
    Flag("variant", "fp16"),
    Flag("tokenizer_name", "tokenizer", isInert: true),
    Flag("output_dir", "out", preset: "t2iadapter-model"),
    Flag("cache_dir", "cache"),
    Flag("seed", "42"),
    Flag("resolution", "512", preset: "1024"),
    Flag("detection_resolution", "384", isInert: true),
    Flag("crops_coords_top_left_h", "3", preset: "0"),
    Flag("crops_coords_top_left_w", "4", preset: "0"),
    Flag("train_batch_size", "2", preset: "4"),
    Flag("num_train_epochs", "3", preset: "1"),
    Flag("max_train_steps", "7"),
    Flag("checkpointing_steps", "5", preset: "500"),
    Flag("checkpoints_total_limit", "2", preset: "3"),
    Flag("resume_from_checkpoint", "latest"),
    Flag("gradient_accumulation_steps", "2", preset: "1"),
    Flag("gradient_checkpointing"),
    Flag("learning_rate", "1e-5", preset: "5e-06"),
    Flag("scale_lr"),
    Flag("lr_scheduler", "cosine_with_restarts", preset: "constant"),
    Flag("lr_warmup_steps", "10", preset: "500"),
    Flag("lr_num_cycles", "2", preset: "1"),
    Flag("lr_power", "1.5", preset: "1.0"),
    Flag("use_8bit_adam", isInert: true),
    Flag("dataloader_num_workers", "0", preset: "1"),
    Flag("adam_beta1", "0.8", preset: "0.9"),
    Flag("adam_beta2", "0.99", preset: "0.999"),
    Flag("adam_weight_decay", "1e-3", preset: "0.01"),
    Flag("adam_epsilon", "1e-7", preset: "1e-08"),
    Flag("max_grad_norm", "0.5", preset: "1.0"),
    Flag("push_to_hub", isInert: true),
    Flag("hub_token", "secret", isInert: true),
    Flag("hub_model_id", "me/mine", isInert: true),
    Flag("logging_dir", "log", preset: "logs"),
    Flag("allow_tf32", isInert: true),
    Flag("report_to", "csv"),
    Flag("mixed_precision", "bf16", preset: "no"),
    Flag("enable_xformers_memory_efficient_attention", isInert: true),
    Flag("set_grads_to_none", isInert: true),
    Flag("dataset_name", "data"),
    Flag("dataset_config_name", "plain", isInert: true),
    Flag("train_data_dir", "data"),
    Flag("image_column", "target", preset: "image"),
    Flag("conditioning_image_column", "source", preset: "conditioning_image"),
    Flag("caption_column", "prompt", preset: "text"),
    Flag("max_train_samples", "10"),
    Flag("proportion_empty_prompts", "0.5", preset: "0.0"),
    Flag("validation_prompt", "a"),
    Flag("validation_image", "a.png"),
    Flag("num_validation_images", "2", preset: "4"),
    Flag("validation_steps", "20", preset: "100"),
    Flag("tracker_project_name", "mine", preset: "sd_xl_train_t2iadapter"),
  ]

  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  /// Runs in an empty folder, where no model is found; that is an error of the run, not of its flags.
  private func train(_ flags: [Flag]) throws -> Program.Result {
    try Program.run(["train", "--backend", "blas"] + flags.flatMap(\.arguments), in: folder.path)
  }

  private func expectParsed(_ result: Program.Result) {
    #expect(result.status == 1 && !result.isKilled, Comment(rawValue: result.error))
    #expect(result.error.contains("/nowhere/model"), Comment(rawValue: result.error))
  }

  @Test func `all 56 flags are accepted together, inert ones with one note each`() throws {
    #expect(Set(Self.flags.map(\.name)).count == 56)
    for source in ["dataset_name", "train_data_dir"] {
      let result = try train(
        Self.flags.filter { flag in
          flag.name == source || !["dataset_name", "train_data_dir"].contains(flag.name)
        })
      expectParsed(result)
      for flag in Self.flags {
        let notes = result.error.split(separator: "\n").filter {
          $0.hasPrefix("note: --\(flag.name) has no effect")
        }
        #expect(notes.count == (flag.isInert ? 1 : 0), Comment(rawValue: flag.name))
      }
      #expect(!result.error.contains("secret"), "a token must not be shown")
    }
  }

  @Test func `numbers are refused where they are no numbers`() throws {
    let required = Self.flags.filter {
      ["pretrained_model_name_or_path", "train_data_dir"].contains($0.name)
    }
    let numbers = Self.flags.filter { $0.value.map { Double($0) != nil } == true }
    #expect(numbers.count == 25)
    for flag in numbers {
      let result = try train(required + [Flag(flag.name, "many")])
      #expect(result.status == 2, Comment(rawValue: flag.name))
      #expect(result.error.hasPrefix("error: "), Comment(rawValue: result.error))
      #expect(result.error.contains("--" + flag.name), Comment(rawValue: result.error))
    }
  }

  @Test func `the help names the flags with the reference's defaults`() throws {
    let help = try Program.run(["train", "--help"])
    #expect(help.status == 0)
    let hidden = try Program.run(["train", "--help-hidden"])
    let words = help.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for flag in Self.flags {
      let all = flag.isInert ? hidden.output : help.output
      #expect(all.contains("--" + flag.name), Comment(rawValue: flag.name))
      guard let start = words.range(of: "--\(flag.name) <\(flag.name)>")?.upperBound else {
        continue
      }
      let rest = words[start...]
      let end = rest.range(of: " --")?.lowerBound ?? rest.endIndex
      let text = String(rest[..<end])
      if let preset = flag.preset {
        #expect(text.contains("default: \(preset))"), Comment(rawValue: flag.name + text))
      } else if flag.name != "report_to" {
        #expect(!text.contains("default: "), Comment(rawValue: flag.name + text))
      }
    }
  }

  @Test(arguments: [
    (["--proportion_empty_prompts", "1.5"], "--proportion_empty_prompts is 1.5"),
    (["--resolution", "1000"], "--resolution is 1000, expected a multiple of 16"),
    (["--validation_prompt", "a"], "--validation_image"),
    (["--validation_image", "a.png"], "--validation_prompt"),
    (
      ["--validation_prompt", "a", "b", "--validation_image", "a.png", "b.png", "c.png"],
      "--validation_prompt and --validation_image"
    ),
    (["--dataset_name", "b"], "--dataset_name"),
    (["--lr_scheduler", "piecewise_constant"], "piecewise_constant"),
    (["--mixed_precision", "fp8"], "fp8"),
    (["--train_batch_size", "0"], "--train_batch_size is 0"),
    (["--train_batch_size", "9223372036854775807"], "--train_batch_size"),
    (["--scale_lr", "--gradient_accumulation_steps", "9223372036854775807"], "--gradient_accum"),
    (["--resolution", "9223372036854775792"], "--resolution"),
    (["--learning_rate", "-1"], "--learning_rate"),
    (["--learning_rate", "nan"], "--learning_rate"),
    (["--seed", "-1"], "--seed"),
    (["--hub_token", "x", "--report_to", "wandb"], "--hub_token"),
    (["--lr_scheduler", "polynomial", "--learning_rate", "1e-8"], "--learning_rate"),
    (["--nonsense", "1"], "--nonsense"),
  ])
  func `a wrong command line exits with 2 and one message`(flags: [String], part: String) throws {
    let result = try Program.run(
      ["train", "--pretrained_model_name_or_path", "m", "--train_data_dir", "d"] + flags,
      in: folder.path)
    #expect(result.status == 2 && !result.isKilled, Comment(rawValue: result.error))
    #expect(result.error.hasPrefix("error: "), Comment(rawValue: result.error))
    #expect(result.error.contains(part), Comment(rawValue: result.error))
    #expect(result.output.isEmpty)
    #expect(try folder.contents().isEmpty)
  }
}
