import EspalierABI

/// The required fields of the boundary's tables, as the header marks them.
enum RequiredFields {
  static var plugin: [PluginTable.Required<esp_plugin>] {
    [
      .init(name: "name", field: \.name), .init(name: "version", field: \.version),
      .init(name: "summary", field: \.summary), .init(name: "api", field: \.api),
    ]
  }

  static var backend: [PluginTable.Required<esp_backend_api>] {
    [
      .init(name: "device_count", field: \.device_count),
      .init(name: "device_info", field: \.device_info),
      .init(name: "device_open", field: \.device_open),
      .init(name: "device_close", field: \.device_close),
      .init(name: "buffer_create", field: \.buffer_create),
      .init(name: "buffer_destroy", field: \.buffer_destroy),
      .init(name: "buffer_write", field: \.buffer_write),
      .init(name: "buffer_read", field: \.buffer_read),
      .init(name: "graph_analyze", field: \.graph_analyze),
      .init(name: "graph_compile", field: \.graph_compile),
      .init(name: "execute", field: \.execute),
      .init(name: "executable_destroy", field: \.executable_destroy),
      .init(name: "device_wait", field: \.device_wait),
    ]
  }

  static var scheduler: [PluginTable.Required<esp_scheduler_api>] {
    [
      .init(name: "class_count", field: \.class_count),
      .init(name: "class_at", field: \.class_at),
      .init(name: "create", field: \.create),
      .init(name: "destroy", field: \.destroy),
      .init(name: "set_timesteps", field: \.set_timesteps),
      .init(name: "call_count", field: \.call_count),
      .init(name: "timestep", field: \.timestep),
      .init(name: "init_noise_sigma", field: \.init_noise_sigma),
      .init(name: "scale_model_input", field: \.scale_model_input),
      .init(name: "needs_noise", field: \.needs_noise),
      .init(name: "step", field: \.step),
      .init(name: "add_noise", field: \.add_noise),
    ]
  }

  static var schedulerClass: [PluginTable.Required<esp_scheduler_class>] {
    [
      .init(name: "class_name", field: \.class_name),
      .init(name: "short_name", field: \.short_name),
      .init(name: "summary", field: \.summary),
    ]
  }

  static var optionDescription: [PluginTable.Required<esp_option_description>] {
    [.init(name: "name", field: \.name), .init(name: "summary", field: \.summary)]
  }

  static var logger: [PluginTable.Required<esp_logger_api>] {
    [
      .init(name: "open", field: \.open), .init(name: "scalars", field: \.scalars),
      .init(name: "close", field: \.close),
    ]
  }

  static var communicator: [PluginTable.Required<esp_communicator_api>] {
    [
      .init(name: "init", field: \.`init`), .init(name: "broadcast", field: \.broadcast),
      .init(name: "all_reduce", field: \.all_reduce), .init(name: "barrier", field: \.barrier),
      .init(name: "finalize", field: \.finalize),
    ]
  }
}
