/**
 * English: the source of all other languages. A frightened person reads each sentence once: short, plain, second person.
 *
 * For translators: keep every key; words in {braces} of the comments are filled in by the page. Address the person politely,
 * as a stranger in need would be addressed. Use the words that phones use in your language for Allow, Settings, microphone.
 * Names of browsers stay as they are.
 * @module
 */

export const words = {
  // The page's title, in the browser's list of open pages.
  title: "Emergency video",
  // The label of the list of languages.
  language: "Language",
  // Who asks: {name} is the service's own name, such as "112 Control Room North".
  asks: (name) => `${name} asks to see what you see`,
  // The same while the name is not known.
  asksUnnamed: "The emergency service asks to see what you see",
  // What they get. Shown before the person agrees.
  gives: "They will see your camera, hear you, and see where you are. You can stop at any time.",
  isRecorded: "It is recorded.",
  // The browser's own question follows; "Allow" is the word on its button.
  allow: "Your phone will ask for permission: choose “Allow”.",
  // The largest button of all.
  start: "Start video",
  starting: "Starting. Choose “Allow” if you are asked.",
  soundOnly: "Sound only",
  // {unread}: messages from them that have not been seen.
  textOnly: (unread) => (unread > 0 ? `Text only (${unread})` : "Text only"),
  locationOnly: "Location only",
  // A button: makes the whole screen black and silent, for people who must not be noticed.
  hide: "Hide this page",
  hideShort: "Hide",
  // What the button does, said where there is room.
  hideHow: "The screen turns black and makes no sound. Tap twice to come back.",
  // For screen readers: the way back from the black screen.
  back: "Back",

  // Live.
  call: "Video call",
  // For screen readers: the person's own picture.
  preview: "What they see",
  // For screen readers: the picture that the emergency service shows to the person.
  theirs: "What they show you",
  // While the first connection is being made; {seconds} counts up.
  connecting: (seconds) => `Connecting, ${seconds} s`,
  // The connection is gone for the moment and comes back by itself if the page stays open.
  reconnecting: "Reconnecting, keep this page open",
  live: "LIVE",
  recorded: "recorded",
  // {names}: a list such as "operator, 2 responders".
  watching: (names) => `Watching: ${names}`,
  nobodyWatching: "Nobody is watching yet. Stay on this page.",
  onlySound: "Sound only. They can hear you.",
  noMicrophone: "No microphone was found. They can see you but not hear you.",
  microphoneOff: "Your microphone is off. They cannot hear you.",
  cameraLost: "The camera stopped. They can still hear you.",
  cameraBack: "Use the camera again",
  // The browser lets no sound out before the screen is tapped.
  tapToHear: "Tap the screen to hear them.",
  tools: "Camera and microphone",
  flip: "Flip",
  light: "Light",
  mute: "Mute",
  useCamera: "Camera",
  text: (unread) => (unread > 0 ? `Text (${unread})` : "Text"),
  stop: "STOP",
  // A message from them, beside the picture: {name} is whose.
  message: (name, text) => `${name}: ${text}`,
  // A picture or a short film that they show, such as how to press on a wound.
  shownPicture: "Picture from the emergency service",
  close: "Close",
  // They ask to see the phone's screen instead of the camera.
  askScreen: "They ask to see the screen of your phone.",
  showScreen: "Show my screen",
  notNow: "Not now",
  screenShown: "They see your screen, not your camera.",
  hideScreen: "Show the camera again",

  // Without a picture: text and location.
  plainTitle: "You are connected without video",
  // The place is asked for; the phone has not answered yet.
  placeAsking: "Looking for where you are",
  placeKnown: "They see where you are.",
  // The place cannot be told.
  placeRefused: "They cannot see where you are. Write where you are.",
  placeOff: "They do not see where you are.",
  placeRefusedLive: "They cannot see where you are. Tell them, or write it.",
  sharePlace: "Show them where I am",

  // Something stands in the way.
  retry: "Try again",
  goOnWithSound: "Go on with sound only",
  goOnWithText: "Go on with text and location",
  obstacles: {
    insecure: { title: "This page is not secure", text: "Open the link again exactly as you received it." },
    unsupported: {
      title: "This browser cannot send video",
      text: "Open the link in Safari, Chrome or Firefox. If you are inside another app, use its menu: “Open in browser”.",
    },
    // What to do follows: see allowCamera.
    refused: { title: "The camera is not allowed" },
    missing: { title: "No camera was found", text: "You can still talk to them with sound only." },
    busy: { title: "Another app is using the camera", text: "Close other apps that use the camera or a call. Then try again." },
    failed: { title: "The camera could not be started", text: "Try again. If that does not help, go on with sound only." },
    // The microphone alone was asked for, and cannot be had.
    noSound: { title: "The microphone cannot be used", text: "You can still write to them, and show them where you are." },
    incomplete: { title: "This link is incomplete", text: "Open the link again exactly as you received it." },
    // The service refused, or could not be reached at all.
    noCall: { title: "The video could not be started", text: "Try again. You can still write to them." },
  },
  // How to allow the camera, by browser. "Try again" is the button's text (retry).
  allowCamera: {
    safari: "Tap the icon beside the address, then Website Settings. Set Camera and Microphone to Allow. Then tap “Try again”.",
    iPhone: "Open Settings on your phone and find this browser. Turn on Camera and Microphone. Then tap “Try again”.",
    firefox: "Tap the crossed-out camera beside the address and remove the block. Then tap “Try again”.",
    android: "Tap the icon left of the address, then Permissions. Allow Camera and Microphone. Then tap “Try again”.",
    other: "Click the icon left of the address. Allow Camera and Microphone. Then click “Try again”.",
  },
  // Why a link opens nothing.
  refusals: {
    linkUsed: {
      title: "This link is open on another page",
      text: "Go back to the page where you opened it first. If you cannot find it, ask the emergency service for a new link.",
    },
    linkEnded: {
      title: "This call is over",
      text: "If you still need help, stay on the phone or call again. They can send you a new link.",
    },
    linkRevoked: {
      title: "This link does not work any more",
      text: "The emergency service has withdrawn it. If you still need help, call again or ask for a new link.",
    },
    expiredToken: {
      title: "This link is too old",
      text: "Ask the emergency service for a new link. If you are still in danger, stay on the phone or call again.",
    },
    forbidden: {
      title: "You are not part of this any more",
      text: "The emergency service has ended your part of this incident. If you still need help, call again.",
    },
  },

  // The end.
  ended: "The video has ended",
  endedPlain: "You have ended this",
  endedByThem: "The emergency service has ended the video",
  devicesOff: "Your camera and microphone are off, and they no longer see where you are.",
  stillInDanger: "If you are still in danger, stay on the phone or call again. They can send you a new link.",

  // Photos from the phone.
  sendPhoto: "Send a photo",
  photo: {
    idle: "",
    sending: "Sending the photo",
    // No network; it is sent as soon as there is one.
    waiting: "The photo is sent when the network is back. Keep this page open.",
    sent: "The photo has arrived",
    failed: "The photo could not be sent. Choose it again.",
    tooLarge: "This file is too large.",
  },
  // What the phone kept while there was no network.
  late: {
    idle: "",
    sending: "Sending what was recorded while you were offline",
    sent: "Sent",
    failed: "What was recorded while you were offline could not be sent",
  },

  // The conversation in writing.
  chat: {
    title: "Text",
    messages: "Messages",
    yourMessage: "Your message",
    placeholder: "Write here",
    send: "Send",
    you: "You",
    waiting: "waiting for the network",
    sent: "sent",
    delivered: "arrived",
    read: "read",
    // {reason}: in English, from the service.
    refused: (reason) => `not sent: ${reason}`,
    offline: "No connection right now.",
    kept: "No connection. What you wrote is kept and sent later.",
  },

  // People who watch or write.
  roles: {
    operator: "operator",
    dispatcher: "dispatcher",
    responder: "responder",
    supervisor: "supervisor",
    trainer: "trainer",
    caller: "caller",
    guest: "guest",
    // Anybody else.
    other: "emergency service",
  },
  // Several with the same role.
  several: (count, role) => `${count} ${role}s`,
};

/** What operators send to the caller's screen, in the caller's language. */
export const phrases = {
  comeCloser: "Please move closer.",
  steadyHold: "Hold the phone still.",
  showPatient: "Show me the injured person.",
  showAround: "Turn slowly and show me everything around you.",
  isBreathing: "Is the person breathing?",
  isAwake: "Is the person awake? Speak to them loudly.",
  areYouSafe: "Are you safe where you are?",
  moveAway: "Move away from the danger now.",
  helpIsComing: "Help is on the way to you.",
  stayOnLine: "Stay connected. Do not hang up.",
  pressHard: "Press hard on the wound with a cloth. Do not let go.",
  startCPR: "Start chest compressions: hands in the middle of the chest, push hard and fast.",
  openAirway: "Tilt the head back and lift the chin.",
  dontMove: "Do not move the injured person.",
  anyoneElse: "Is anyone else hurt?",
  speakOrWrite: "Can you speak? If not, write to me.",
};
