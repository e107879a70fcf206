-- SPDX-License-Identifier: GPL-3.0-or-later
-- ardour.lua -- for ardour.sh: `ardour7-lua ardour.lua`, told by the environment what to DO with the session SESSION.
--   make   a track of one channel whose model comes from a preset, one of two channels with the model of the bundle
--   play   plays it for some seconds, prints what the plugins say on their control outputs, and saves it
-- The status is 0, or says where it went wrong.

local folder = os.getenv("SESSION")
local tracks = { "mono", "stereo" } -- the plugins' names too, with as many channels as their places

-- Control ports in the order of the description, from 0; audio and atom ports do not count.
local outputs = { probability = 11, class = 12, level = 17, time = 18, events = 19, passes = 20, gaps = 21, load = 22, status = 23 }

local function fail(status, why)
    print("failed: " .. why)
    os.exit(status)
end

local function wait(seconds)
    ARDOUR.LuaAPI.usleep(math.floor(seconds * 1000000))
end

local function start_engine()
    local backend = AudioEngine:set_backend("None (Dummy)", "", "")
    backend:set_device_name("Silence")
    backend:set_sample_rate(48000)
    backend:set_buffer_size(512)
end

local function read(processor, name)
    local value, well = ARDOUR.LuaAPI.get_processor_param(processor, outputs[name], false)
    if not well then fail(13, "no control output " .. name) end
    return value
end

-- Waits until the plugin says that its model is running.
local function wait_for_model(processor)
    for _ = 1, 100 do
        if read(processor, "status") == 2 then return end
        wait(0.1)
    end
    fail(14, "no model after ten seconds")
end

local function add_track(session, name, channels)
    local track = session:new_audio_track(channels, channels, nil, 1, name, ARDOUR.PresentationInfo.max_order,
        ARDOUR.TrackMode.Normal, true):front()
    local processor = ARDOUR.LuaAPI.new_plugin(session, "urn:vipann:" .. name, ARDOUR.PluginType.LV2, "")
    if processor:isnil() then fail(12, "no plugin urn:vipann:" .. name) end
    if track:add_processor_by_index(processor, 0, nil, true) ~= 0 then fail(12, "the plugin could not be added") end
    wait_for_model(processor)
    return processor
end

local function make()
    local session = create_session(folder, "session", 48000)
    if not session then fail(11, "no session could be made") end
    for channels, name in ipairs(tracks) do
        local processor = add_track(session, name, channels)
        if name == "mono" then
            local plugin = processor:to_insert():plugin(0)
            local preset = plugin:preset_by_label("with a model")
            if not preset or not plugin:load_preset(preset) then fail(15, "no preset with a model") end
        end
    end
    wait(1)
    return session
end

-- Prints what both say, and returns how far they have come, in seconds.
local function look(session)
    local time = math.huge
    for _, name in ipairs(tracks) do
        local processor = session:route_by_name(name):nth_plugin(0)
        local line = name
        for _, output in ipairs({ "time", "class", "probability", "level", "events", "passes", "gaps", "load", "status" }) do
            line = line .. " " .. output .. " " .. read(processor, output)
        end
        print(line)
        time = math.min(time, read(processor, "time"))
    end
    return time
end

local function play()
    local session = load_session(folder, "session")
    if not session then fail(11, "no session could be loaded") end
    session:goto_start()
    session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
    for _ = 1, 120 do
        wait(0.25)
        if look(session) > 6.5 then break end
    end
    session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
    wait(0.5)
    return session
end

start_engine()
local session = os.getenv("DO") == "make" and make() or play()
if session:save_state("") ~= 0 then fail(16, "the session could not be saved") end
session = nil
collectgarbage()
close_session()
quit()
