import CCurl
import Primitives

/// One transfer of libcurl from its start to its end.
///
/// Owned by the loop's thread: it alone calls ``start()`` and drives libcurl, whose callbacks run inside those calls.
/// Unchecked, because the object is handed to that thread once, through the loop's mutex.
final class CurlTransfer: @unchecked Sendable {
  let id: UInt64
  private let kind: TransferKind
  private let options: TransferOptions
  private let answerLimit: Int
  private let completion: @Sendable (Result<OutgoingResponse, OutgoingError>) -> Void

  /// Libcurl's handle, from ``start()`` to the end of this object.
  private(set) var handle: UnsafeMutableRawPointer?
  private var lists: [UnsafeMutablePointer<curl_slist>] = []
  private var answer: [UInt8] = []
  private var headers: [OutgoingRequest.Header] = []
  private var headerBytes = 0
  private var isTooLong = false
  private var sent = 0

  /// Bytes of headers in an answer.
  private static let maximumHeaderBytes = 65_536

  init(
    id: UInt64, kind: TransferKind, options: TransferOptions, answerLimit: Int,
    completion: @escaping @Sendable (Result<OutgoingResponse, OutgoingError>) -> Void
  ) {
    self.id = id
    self.kind = kind
    self.options = options
    self.answerLimit = answerLimit
    self.completion = completion
  }

  deinit {
    if let handle { curl_easy_cleanup(handle) }
    for list in lists { curl_slist_free_all(list) }
  }

  /// Prepares libcurl's handle; nil when there is no memory for it or an option is not known to this libcurl.
  func start() -> UnsafeMutableRawPointer? {
    guard let handle = curl_easy_init() else { return nil }
    self.handle = handle
    var setter = OptionSetter(handle: handle)
    setCommon(&setter)
    switch kind {
    case .http(let request): set(request, &setter)
    case .mail(let mail): set(mail, &setter)
    }
    return setter.isGood ? handle : nil
  }

  /// Reports how libcurl ended.
  func end(_ code: CURLcode) {
    guard code != CURLE_OK else {
      let status = handle.map { sl_curl_response_code($0) } ?? 0
      return end(.success(OutgoingResponse(status: status, headers: headers, body: answer)))
    }
    let status = handle.map { sl_curl_response_code($0) } ?? 0
    end(.failure(isTooLong ? Self.tooLong(answerLimit) : CurlFailure.error(code, kind: kind, status: status)))
  }

  func end(_ result: Result<OutgoingResponse, OutgoingError>) {
    completion(result)
  }

  private static func tooLong(_ limit: Int) -> OutgoingError {
    OutgoingError(.badAnswer, "The answer is longer than \(limit) bytes; nothing of it was used.")
  }

  // MARK: - Options

  private func setCommon(_ setter: inout OptionSetter) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    setter.set(CURLOPT_NOSIGNAL, 1)
    // A call that is given up while its name is looked up does not wait for the end of that, and hold up all others.
    setter.set(CURLOPT_QUICK_EXIT, 1)
    setter.set(CURLOPT_CONNECTTIMEOUT_MS, Int(options.connectLimit.milliseconds))
    setter.set(CURLOPT_SSL_VERIFYPEER, 1)
    setter.set(CURLOPT_SSL_VERIFYHOST, 2)
    setter.set(CURLOPT_PROXY, options.proxy ?? "")
    if let file = options.certificateFile { setter.set(CURLOPT_CAINFO, file) }
    setter.set(CURLOPT_WRITEFUNCTION, CURLOPT_WRITEDATA, context) { bytes, size, count, context in
      guard let context, let bytes else { return 0 }
      let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
    }
  }

  private func set(_ request: OutgoingRequest, _ setter: inout OptionSetter) {
    setter.set(CURLOPT_PROTOCOLS_STR, "http,https")
    setter.set(CURLOPT_URL, request.url)
    setter.set(CURLOPT_FOLLOWLOCATION, 0)
    setter.set(CURLOPT_TIMEOUT_MS, Int(request.timeLimit.milliseconds))
    setter.set(CURLOPT_USERAGENT, "Sightline")
    if request.method == "HEAD" { setter.set(CURLOPT_NOBODY, 1) }
    if !request.body.isEmpty || request.method == "POST" { setter.setBody(request.body) }
    setter.set(CURLOPT_CUSTOMREQUEST, request.method)
    // A name with nothing after the colon takes away what libcurl would add: it calls every body a form.
    var lines = request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
    lines.append("Expect:")
    if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines.append("Content-Type:") }
    setter.set(CURLOPT_HTTPHEADER, list(lines))
    let context = Unmanaged.passUnretained(self).toOpaque()
    setter.set(CURLOPT_HEADERFUNCTION, CURLOPT_HEADERDATA, context) { bytes, size, count, context in
      guard let context, let bytes else { return 0 }
      let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
    }
  }

  private func set(_ mail: MailTransfer, _ setter: inout OptionSetter) {
    setter.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
    setter.set(CURLOPT_TIMEOUT_MS, Int(mail.timeLimit.milliseconds))
    // Libcurl counts greeting and login as connecting, and some servers greet strangers late on purpose.
    setter.set(CURLOPT_CONNECTTIMEOUT_MS, Int(mail.timeLimit.milliseconds))
    setter.set(CURLOPT_URL, mail.server.url)
    switch mail.server.security {
    case .startTLS, .tls: setter.set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
    case .none: setter.set(CURLOPT_USE_SSL, Int(CURLUSESSL_NONE.rawValue))
    }
    if let user = mail.server.user { setter.set(CURLOPT_USERNAME, user) }
    if let password = mail.server.password { setter.set(CURLOPT_PASSWORD, password) }
    setter.set(CURLOPT_MAIL_FROM, "<\(mail.sender)>")
    setter.set(CURLOPT_MAIL_RCPT, list(["<\(mail.recipient)>"]))
    setter.set(CURLOPT_UPLOAD, 1)
    let context = Unmanaged.passUnretained(self).toOpaque()
    setter.set(CURLOPT_READFUNCTION, CURLOPT_READDATA, context) { bytes, size, count, context in
      guard let context, let bytes else { return 0 }
      let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.provide(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }
  }

  /// A list of libcurl, freed with this object.
  private func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
    var head: UnsafeMutablePointer<curl_slist>?
    for line in lines {
      // Only memory can fail here; what was made stays valid.
      guard let longer = curl_slist_append(head, line) else { break }
      head = longer
    }
    if let head { lists.append(head) }
    return head
  }

  // MARK: - Callbacks

  private func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard answer.count + bytes.count <= answerLimit else {
      isTooLong = true
      return false
    }
    answer.append(contentsOf: bytes)
    return true
  }

  /// Takes one line of the answer's head; a new status line begins anew, since one of 1xx may come before.
  private func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Bool {
    headerBytes += bytes.count
    guard headerBytes <= Self.maximumHeaderBytes else {
      isTooLong = true
      return false
    }
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      headers = []
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmed
      headers.append(OutgoingRequest.Header(String(line[..<colon]), value))
    }
    return true
  }

  private func provide(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard case .mail(let mail) = kind else { return 0 }
    let count = min(buffer.count, mail.content.count - sent)
    buffer.copyBytes(from: mail.content[sent..<sent + count])
    sent += count
    return count
  }
}

extension StringProtocol {
  /// Without white space at either end.
  var trimmed: String {
    let start = drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}

/// Sets options one after the other and remembers whether each was taken.
private struct OptionSetter {
  let handle: UnsafeMutableRawPointer
  private(set) var isGood = true

  init(handle: UnsafeMutableRawPointer) {
    self.handle = handle
  }

  mutating func set(_ option: CURLoption, _ value: Int) { note(sl_curl_set_long(handle, option, value)) }

  mutating func set(_ option: CURLoption, _ value: String) { note(sl_curl_set_text(handle, option, value)) }

  mutating func set(_ option: CURLoption, _ value: UnsafeMutablePointer<curl_slist>?) {
    note(sl_curl_set_list(handle, option, value))
  }

  mutating func setBody(_ bytes: [UInt8]) {
    note(bytes.withUnsafeBytes { sl_curl_set_body(handle, $0.baseAddress, curl_off_t($0.count)) })
  }

  mutating func set(
    _ function: CURLoption, _ data: CURLoption, _ context: UnsafeMutableRawPointer,
    _ value: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int
  ) {
    note(sl_curl_set_transfer(handle, function, value, data, context))
  }

  private mutating func note(_ code: CURLcode) {
    if code != CURLE_OK { isGood = false }
  }
}
