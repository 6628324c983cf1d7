/**
 * What the custom fields' world has beside functions: fields that are computed when they are read, constants, and
 * functions whose tables must not be copies. Lua of this plugin, run outside of the sandbox.
 */
export const luaLibrary = String.raw`
local groups, kit = ...
local ngx, kong = groups.ngx, groups.kong
local headers, status = ngx.resp.get_headers, ngx.status_of_record
ngx.status_of_record = nil

local function word(name)
  return (string.gsub(string.lower(kit.tostring(name)), "_", "-"))
end
local function denied(name)
  return function(_, k)
    error(name .. "." .. kit.tostring(k) .. " cannot be set: the request is over", 2)
  end
end

local constants = {
  null = kit.null,
  header = setmetatable({}, { __metatable = false, __newindex = denied("ngx.header"), __index = function(_, k)
    return headers(0)[word(k)]
  end }),
}

groups.ngx = setmetatable({}, { __metatable = false, __newindex = denied("ngx"), __index = function(_, k)
  if k == "status" then return status() end
  if k == "var" or k == "ctx" or k == "shared" then
    error("ngx." .. k .. " cannot be had in the log phase of an external plugin. The record does not hold it;"
      .. " set it in an earlier phase with kong.log.set_serialize_value.", 2)
  end
  local v = ngx[k]
  if v ~= nil then return v end
  return constants[k]
end })

local version = kong.version_of_record
kong.version_of_record = nil
kong.table = {
  new = function() return {} end,
  clear = function(t) for k in next, t do t[k] = nil end end,
  merge = function(a, b)
    local t = {}
    if a then for k, v in next, a do t[k] = v end end
    if b then for k, v in next, b do t[k] = v end end
    return t
  end,
  pack = function(...) return { n = select("#", ...), ... } end,
  unpack = function(t, i, j) return table.unpack(t, i or 1, j or t.n or #t) end,
}
kong.ctx = setmetatable({}, { __metatable = false, __index = function()
  error("kong.ctx cannot be had in the log phase of an external plugin. The record does not hold it;"
    .. " set it in an earlier phase with kong.log.set_serialize_value.", 2)
end })
kong.log = setmetatable(kong.log, { __metatable = false, __call = function(t, ...) return t.notice(...) end })
groups.kong = setmetatable({}, { __metatable = false, __newindex = denied("kong"), __index = function(_, k)
  if k == "version" then return version() end
  if k ~= "version_num" then return kong[k] end
  local major, minor, patch = string.match(version(), "^(%d+)%.(%d+)%.(%d+)")
  return major * 1000000.0 + minor * 1000 + patch
end })
return {}
`;
