/// Swift objects as the opaque pointers of the boundary (`esp_scheduler *`, `esp_device *`, …).
///
/// The pointer owns one reference from `create` to `destroy`; in between it must come back unchanged,
/// to a function that asks for the same class.
public enum Handle {
  /// Hands the object to the other side.
  public static func create(_ object: some AnyObject) -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(object).toOpaque())
  }

  /// The object behind the pointer, still owned by the other side.
  public static func object<Object: AnyObject>(
    _ pointer: OpaquePointer, as type: Object.Type = Object.self
  ) -> Object {
    Unmanaged<Object>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
  }

  /// Takes the object back; the pointer is dead afterwards.
  public static func destroy<Object: AnyObject>(_ pointer: OpaquePointer, as type: Object.Type) {
    Unmanaged<Object>.fromOpaque(UnsafeRawPointer(pointer)).release()
  }
}
