/**
 * The caller's camera and microphone: asking for them, changing over, and saying in plain words what stands in the way.
 * @module
 */

/**
 * What stands in the way. `insecure`: the page came without encryption. `unsupported`: the browser cannot do it.
 * `refused`: the person or a setting said no. `missing`: there is none. `busy`: another app has it.
 * @typedef {"insecure" | "unsupported" | "refused" | "missing" | "busy" | "failed"} Obstacle
 */

/** A camera or microphone could not be had. */
export class DeviceError extends Error {
  /** @param {Obstacle} obstacle */
  constructor(obstacle, cause) {
    super(obstacle, { cause });
    this.name = "DeviceError";
    this.obstacle = obstacle;
  }
}

const sound = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** @param {"environment" | "user"} facing */
function picture(facing) {
  return { facingMode: { ideal: facing }, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
}

/**
 * What keeps this browser from calling at all, if anything.
 * @returns {Obstacle | undefined}
 */
export function findObstacle() {
  if (!window.isSecureContext) return "insecure";
  if (!window.RTCPeerConnection || !navigator.mediaDevices?.getUserMedia) return "unsupported";
  return undefined;
}

/**
 * Opens the rear camera and the microphone. A missing microphone does not stop the picture.
 * @returns {Promise<MediaStream>}
 * @throws {DeviceError}
 */
export async function openCameraAndMicrophone() {
  try {
    return await request({ video: picture("environment"), audio: sound });
  } catch (error) {
    if (error.obstacle !== "missing") throw error;
    return request({ video: picture("environment") });
  }
}

/**
 * @returns {Promise<MediaStream>}
 * @throws {DeviceError}
 */
export function openMicrophone() {
  return request({ audio: sound });
}

/**
 * Opens one camera; the other one has to be closed already, since most phones run only one at a time.
 * @param {"environment" | "user"} facing
 * @param {string} [avoid] the device that is not wanted when the browser does not know which way cameras face
 * @returns {Promise<MediaStreamTrack>}
 * @throws {DeviceError}
 */
export async function openCamera(facing, avoid) {
  const stream = await request({ video: picture(facing) });
  const [track] = stream.getVideoTracks();
  if (!avoid || track.getSettings().deviceId !== avoid) return track;
  const other = (await cameras()).find((camera) => camera.deviceId !== avoid);
  if (!other) return track;
  track.stop();
  const second = await request({ video: { ...picture(facing), facingMode: undefined, deviceId: { exact: other.deviceId } } });
  return second.getVideoTracks()[0];
}

/** @returns {Promise<MediaDeviceInfo[]>} */
export async function cameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput");
}

/**
 * Whether the camera has a light that a page may switch.
 * @param {MediaStreamTrack} track
 */
export function hasTorch(track) {
  return track.getCapabilities?.().torch === true;
}

async function request(constraints) {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw new DeviceError(obstacles[error.name] ?? "failed", error);
  }
}

/** The names that getUserMedia's errors have, old ones included (Media Capture and Streams §10.2). */
const obstacles = {
  NotAllowedError: "refused",
  PermissionDeniedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  DevicesNotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  TrackStartError: "busy",
  AbortError: "busy",
  TypeError: "unsupported",
};
