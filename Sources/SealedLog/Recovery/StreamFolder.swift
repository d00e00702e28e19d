internal import Tenancy

/// Where the files of a log lie.
enum LogLayout {
  static func folder(_ log: String, _ stream: StreamName) -> String { "\(log)/\(stream)" }

  static func segment(_ log: String, _ stream: StreamName, day: String, _ name: SegmentName) -> String {
    "\(log)/\(stream)/\(day)/\(name).thl"
  }

  static func sidecar(of segment: String) -> String { String(segment.dropLast(4)) + ".thk" }

  /// Where a segment or its sidecar lies until it is whole.
  static func unnamed(_ path: String) -> String { path + unnamedSuffix }

  static let unnamedSuffix = ".made"

  static func checkpoint(_ log: String, _ stream: StreamName) -> String { "\(log)/\(stream)/checkpoint" }

  /// The public half of the installation's signing key, 32 bytes: for readers that were given no other.
  static func installationKey(_ log: String) -> String { "\(log)/installation.pub" }

  /// The installation-signed list of all streams.
  static func streamList(_ log: String) -> String { "\(log)/streams" }
}

/// The segments of one stream on disk, oldest first.
struct StreamFolder {
  struct Segment: Equatable {
    let name: SegmentName
    let path: String
    /// A stub of an expired segment: header, START and FOOTER only.
    let isStub: Bool
  }

  let stream: StreamName
  let path: String
  let segments: [Segment]
  /// Files that never got their names, of a process that was making them or that was killed meanwhile.
  let unnamed: [String]

  init(log: String, stream: StreamName) throws(SealedLogError) {
    self.stream = stream
    path = LogLayout.folder(log, stream)
    var segments: [Segment] = []
    var unnamed: [String] = []
    for day in try Files.names(in: path) where day.utf8.count == 10 {
      for file in try Files.names(in: "\(path)/\(day)") {
        if file.hasSuffix(LogLayout.unnamedSuffix) { unnamed.append("\(path)/\(day)/\(file)") }
        guard file.hasSuffix(".thl") || file.hasSuffix(".ths"), let name = SegmentName(file.dropLast(4)) else {
          continue
        }
        segments.append(Segment(name: name, path: "\(path)/\(day)/\(file)", isStub: file.hasSuffix(".ths")))
      }
    }
    self.segments = segments.sorted { $0.name < $1.name }
    self.unnamed = unnamed
  }

  /// All streams below a log's folder, of one tenant or of all.
  static func streams(log: String, tenant: TenantID? = nil) throws(SealedLogError) -> [StreamName] {
    let tenants = if let tenant { [tenant.description] } else { try Files.names(in: log) }
    var streams: [StreamName] = []
    for name in tenants {
      streams += try Files.names(in: "\(log)/\(name)").compactMap { StreamName("\(name)/\($0)") }
    }
    return streams
  }
}
