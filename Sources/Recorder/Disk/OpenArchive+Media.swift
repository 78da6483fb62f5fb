import Archive
import Cryptography
import Primitives

// Fragments into segments, and whole files.

extension OpenArchive {
  func take(_ fragment: FragmentBytes, at now: UTCTime) {
    let id = fragment.track.id
    if tracks[id]?.isActive != true { announce(fragment.track, at: now) }
    guard var track = tracks[id] else { return }
    defer { tracks[id] = track }
    do throws(DiskError) {
      guard !manifest.isFull else { throw DiskError(.failed, "The disk has taken no lines for too long.") }
      let open = try file(for: fragment, of: &track, at: now)
      let bytes = try sealer.stored(track.nextPart, of: open.path, fragment.bytes)
      let offset = open.file.length
      if touched[open.path] == nil { touched[open.path] = Touched(track: id, file: open.file, length: offset) }
      try open.file.append(bytes)
      track.nextPart += 1
      markDirty()
      if let since = track.refusedSince {
        manifest.add(.gap(.init(track: id, start: since, end: fragment.start, reason: .disk)), at: now)
        track.refusedSince = nil
      }
      manifest.add(
        .fragment(
          .init(
            segment: open.path, offset: offset, length: bytes.count, hash: Digest.sha256(bytes), start: fragment.start,
            duration: fragment.duration, startsWithKeyframe: fragment.startsWithKeyframe, frames: fragment.frames)),
        at: now)
    } catch {
      track.refusedSince = track.refusedSince ?? fragment.start
      alarm(id, error.text)
    }
  }

  /// The file that a fragment goes into: a new one where a segment begins, or where the last beginning was refused.
  private func file(
    for fragment: FragmentBytes, of track: inout OpenTrack, at now: UTCTime
  ) throws(DiskError) -> OpenTrack.File {
    let segment = fragment.segment
    if let open = track.file, track.segment == segment.number { return open }
    guard let path = track.nextPath(fragment.track.id, segment.format) else {
      throw DiskError(.failed, "The track \(fragment.track.id) has too long a name.")
    }
    let header = try sealer.stored(0, of: path, segment.header)
    let file = try disk.open("\(folder)/\(path)")
    hasNewNames = true
    do throws(DiskError) {
      if file.length > 0 { try file.truncate(to: 0) }
      try file.append(header)
    } catch {
      try? disk.remove("\(folder)/\(path)")
      throw error
    }
    let open = OpenTrack.File(path: path, file: file)
    track.opened(open, segment: segment.number)
    touched[path] = Touched(track: fragment.track.id, file: file, length: 0)
    manifest.add(
      .segment(
        .init(
          path: path, track: fragment.track.id, codec: segment.format.codecName, mimeType: segment.format.mimeType,
          width: segment.format.width, height: segment.format.height, rotation: segment.format.rotation,
          layer: segment.layer, headerLength: header.count, headerHash: Digest.sha256(header),
          origin: segment.origin == fragment.start ? nil : segment.origin)), at: now)
    return open
  }

  /// Waits until this round's bytes are on the disk; the lines of those that are not are taken back.
  func synchronizeSegments(at now: UTCTime) {
    for (path, written) in touched {
      do throws(DiskError) {
        try written.file.synchronize()
      } catch {
        takeBack(path, written, error, at: now)
      }
    }
    touched.removeAll(keepingCapacity: true)
  }

  private func takeBack(_ path: ArchivePath, _ written: Touched, _ error: DiskError, at now: UTCTime) {
    let lost = manifest.retract(path) ?? now
    if written.length > 0 {
      try? written.file.truncate(to: written.length)
    } else {
      try? disk.remove("\(folder)/\(path)")
    }
    alarm(written.track, error.text)
    guard var track = tracks[written.track] else { return }
    track.refusedSince = min(track.refusedSince ?? lost, lost)
    if track.file?.path == path { track.file = nil }
    tracks[written.track] = track
  }

  /// A whole file; it is named when it is on the disk.
  func take(_ file: FileBytes, at now: UTCTime) {
    let name = "\(folder)/\(file.path)"
    let bytes: [UInt8]
    do throws(DiskError) {
      guard try disk.read(name) == nil else { throw DiskError(.failed, "\(file.path) exists already.") }
      bytes = try sealer.stored(0, of: file.path, file.bytes)
      let opened = try disk.open(name)
      hasNewNames = true
      do throws(DiskError) {
        try opened.append(bytes)
        try opened.synchronize()
      } catch {
        try? disk.remove(name)
        throw error
      }
    } catch {
      alarm(file.track, error.text)
      file.done(.failure(error))
      return
    }
    markDirty()
    let hash = Digest.sha256(bytes)
    waiting.append((file, hash))
    manifest.add(
      .file(
        .init(
          path: file.path, length: bytes.count, hash: hash, purpose: file.purpose, track: file.track,
          start: file.start, duration: file.duration, mimeType: file.mimeType, note: file.note)), at: now)
  }
}
